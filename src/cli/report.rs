//! `ferry report`: a run as an auditor reads it.

use std::fmt::Write as _;

use super::arguments_operations::ReportOf;
use super::output::{on_one_line, say, tell};
use super::start::Ended;
use super::table::number;
use crate::app::audit::{Audit, audit};
use crate::app::workspace::Setting;
use crate::store::written::NewFile;

pub(super) async fn report(setting: &Setting, asked: &ReportOf, as_json: bool) -> Ended {
    let made = audit(setting, &asked.run, asked.rows.as_deref()).await?;
    let text = if as_json { format!("{}\n", serde_json::json!(made)) } else { for_people(&made) };
    match &asked.out {
        Some(path) => {
            let mut file = NewFile::begin(path)?;
            file.put(text.as_bytes())?;
            file.finish()?;
            tell!("the report of run {} is in {}", made.run, path.display());
        }
        None => say!("{}", text.trim_end()),
    }
    if let Some(path) = &asked.rows {
        tell!("the rows that were written are in {}", path.display());
    }
    Ok(0)
}

fn for_people(made: &Audit) -> String {
    let mut text = format!("Report of run {}\n\n", made.run);
    let mut line = |name: &str, value: &str| {
        // To a text nothing can fail to be written.
        let _ = writeln!(text, "{name:<14} {}", on_one_line(value));
    };
    line("job", &made.job);
    if let Some(chain) = &made.chain {
        line("chain", chain);
    }
    line("from", &made.source);
    line("to", &made.target);
    line("ended as", &made.status);
    line("began", &made.started);
    line("ended", made.ended.as_deref().unwrap_or("not yet"));
    line("started by", made.started_by.as_deref().unwrap_or("unknown"));
    if let Some(approval) = &made.approved {
        line("allowed by", &format!("{}, {}", approval.by, approval.at));
    }
    line("processes", &made.attempts.to_string());
    line("job's digest", made.job_digest.as_deref().unwrap_or("unknown"));
    text.push_str(&rows(made));
    text.push_str(&left(made));
    text.push_str("\nWhat was sent\n");
    match &made.sent {
        Some(sent) => {
            let _ = writeln!(
                text,
                "  {} rows; `ferry report {} --rows FILE` lists them, each with the digest of its values",
                number(sent.rows),
                made.run
            );
            let _ = writeln!(text, "  SHA-256 of that file  {}", sent.sha256);
        }
        None => text.push_str("  its rows are not kept any more, or it wrote none\n"),
    }
    if let Some(file) = &made.error_file {
        let _ = writeln!(text, "\nThe error file\n  {}\n  SHA-256  {}", file.path, file.sha256);
    }
    text
}

fn rows(made: &Audit) -> String {
    let counts = &made.counts;
    let mut text = format!("\nRows\n  {:>12}  read\n", number(counts.read));
    let all = [
        (counts.inserted, "inserted"),
        (counts.updated, "updated"),
        (counts.deleted, "whose record was deleted, or marked"),
        (counts.unchanged, "unchanged"),
        (counts.filtered, "filtered by WHERE"),
        (counts.superseded, "superseded by a newer row"),
        (counts.rejected, "rejected"),
        (counts.error, "in error"),
    ];
    for (count, what) in all.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(text, "  {:>12}  {what}", number(count));
    }
    text.push_str(if made.balances {
        "  every row that was read has one outcome\n"
    } else {
        "  ROWS AND OUTCOMES DO NOT ADD UP\n"
    });
    text.push_str("\nRecords\n");
    for (object, one) in &made.records {
        let _ = writeln!(
            text,
            "  {object}: {} inserted, {} updated, {} deleted, {} unchanged, {} refused",
            number(one.inserted),
            number(one.updated),
            number(one.deleted),
            number(one.unchanged),
            number(one.error)
        );
    }
    let _ = writeln!(
        text,
        "\nCalls\n  {} to Dynamics, {} to Gainsight, {} of them writing",
        number(made.calls.dynamics),
        number(made.calls.gainsight),
        number(made.calls.gainsight_writes)
    );
    text
}

fn left(made: &Audit) -> String {
    let mut text = "\nWhat was left, and why\n".to_owned();
    let Some(left) = &made.left else {
        let failed = number(made.counts.failed());
        let _ = writeln!(text, "  {failed} rows; the error file that says why is not kept any more, or cannot be read");
        return text;
    };
    if left.is_empty() {
        text.push_str("  nothing\n");
    }
    for one in left {
        let _ = writeln!(text, "  {:>12}  {} {} ({})", number(one.rows), one.outcome, one.code, one.script);
        let _ = writeln!(text, "                {}", on_one_line(&one.message));
        let _ = writeln!(text, "                such as {}", on_one_line(&one.example));
    }
    text
}
