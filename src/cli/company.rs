//! `ferry company`.

use serde_json::json;

use super::output::{on_one_line, say, tell};
use super::start::Ended;
use crate::app::companies::of_account;
use crate::app::workspace::Setting;

pub(super) async fn company(setting: &Setting, account: &str, as_json: bool) -> Ended {
    let found = of_account(setting, account).await?;
    if as_json {
        found.iter().for_each(|company| say!("{}", json!(company)));
    }
    match &found[..] {
        [] => {
            tell!("account {account} is not linked: no company of Gainsight carries its id");
            Ok(1)
        }
        [one] => {
            if !as_json {
                say!("{} · {}", on_one_line(&one.name), one.gsid);
                for (label, value) in &one.fields {
                    say!("  {label:<32} {}", on_one_line(value));
                }
            }
            Ok(0)
        }
        several => {
            tell!("account {account} is linked to {} companies; merge them in Gainsight:", several.len());
            several.iter().for_each(|one| tell!("  {} · {}", one.name, one.gsid));
            Ok(1)
        }
    }
}
