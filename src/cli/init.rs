//! `ferry init`.

use serde_json::json;

use super::arguments::Init;
use super::output::{say, tell};
use super::start::Ended;
use crate::app::beginnings::{Wish, begin};
use crate::app::workspace::Setting;

pub(super) async fn init(setting: &Setting, arguments: &Init, as_json: bool) -> Ended {
    let wish = Wish {
        folder: arguments.folder.clone(),
        organization: arguments.organization.clone(),
        gainsight: arguments.gainsight.clone(),
        label: arguments.label.clone(),
        account_key: arguments.account_key.clone(),
        contact_key: arguments.contact_key.clone(),
    };
    let files = begin(&wish, setting).await?;
    let folder = wish.folder.display();
    if as_json {
        say!("{}", json!({ "folder": folder.to_string(), "files": files }));
        return Ok(0);
    }
    files.iter().for_each(|file| say!("{folder}/{file}"));
    tell!("\nNext: set the secrets that {folder}/connections.ferry names, then");
    tell!("  ferry connection test dynamics --project {folder}");
    tell!("  ferry connection test gainsight --project {folder}");
    tell!("  ferry refresh --project {folder}");
    tell!("  ferry test --project {folder}");
    Ok(0)
}
