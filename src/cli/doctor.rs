//! `ferry doctor`.

use serde_json::json;

use super::output;
use super::output::{on_one_line, say, tell};
use super::start::Ended;
use super::table::{Paint, wrapped};
use crate::app::doctor::{Finding, Verdict, examine};
use crate::app::workspace::Setting;

pub(super) async fn doctor(setting: &Setting, as_json: bool) -> Ended {
    let findings = examine(setting).await;
    let of = |verdict: Verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (warnings, failures) = (of(Verdict::Warn), of(Verdict::Fail));
    if as_json {
        findings.iter().for_each(|finding| say!("{}", json!(finding)));
    } else {
        let paint = Paint::of_stdout();
        findings.iter().for_each(|finding| output::text(&shown(finding, paint)));
        tell!("{} things looked at, {warnings} to look after, {failures} that do not work", findings.len());
    }
    Ok(u8::from(failures > 0))
}

fn shown(finding: &Finding, paint: Paint) -> String {
    let sign = match finding.verdict {
        Verdict::Ok => "ok  ",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    let indent = " ".repeat(8);
    let first = format!("  {sign}  ");
    let words = wrapped(&on_one_line(&format!("{}: {}", finding.what, finding.found)), &first, &indent);
    let mut text = if finding.verdict == Verdict::Ok { words } else { paint.bold_lines(&words) };
    if let Some(advice) = &finding.advice {
        text.push_str(&wrapped(&on_one_line(&format!("→ {advice}")), &indent, &format!("{indent}  ")));
    }
    text
}
