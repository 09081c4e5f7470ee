//! The matrix of types, cell by cell: what the checker says of a mapping, and what becomes of a value that it lets through.

use ferry::app::workspace::Workspace;
use ferry::diagnostic::report::Severity;
use ferry::engine::trial::trial;
use ferry::model::field::FieldKind;
use ferry::model::fit::{Fit, MATRIX, TARGETS};
use ferry::model::job::Job;
use ferry::model::literal::Literal;
use ferry::model::outcome::Outcome;
use ferry::model::reject::RejectCode;
use ferry::model::test::Given;
use ferry::model::value::ValueType;

use crate::stage::Stage;

/// An expression of each type.
fn value(of: ValueType) -> &'static str {
    match of {
        ValueType::Text => "o.name",
        ValueType::Integer => "o.closeprobability",
        ValueType::Decimal => "o.estimatedvalue",
        ValueType::Double => "SQRT(o.closeprobability)",
        ValueType::Boolean => "o.isrevenuesystemcalculated",
        ValueType::Date => "o.estimatedclosedate",
        ValueType::DateTime => "o.createdon",
        ValueType::Guid => "o.opportunityid",
        ValueType::Gsid => "co.\"GSID\"",
        ValueType::Choice => "o.statecode",
        ValueType::Choices => "o.new_stages",
        ValueType::Null | ValueType::Interval => unreachable!("not in the matrix"),
    }
}

/// A field of each kind.
fn field(of: FieldKind) -> &'static str {
    match of {
        FieldKind::String => "Currency",
        FieldKind::RichText => "Notes",
        FieldKind::Email => "Contact Email",
        FieldKind::Url => "Website",
        FieldKind::Number => "Probability",
        FieldKind::Boolean => "Strategic",
        FieldKind::Date => "Close Date",
        FieldKind::DateTime => "Signed At",
        FieldKind::Lookup => "Company",
        FieldKind::Picklist => "Forecast",
        FieldKind::MultiPicklist => "Regions",
        other => unreachable!("{other:?} is no column of the matrix"),
    }
}

fn job(name: &str, mapping: &str, target: FieldKind) -> String {
    format!(
        "CREATE JOB \"{name}\" AS UPSERT INTO gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") SELECT \
         o.opportunityid AS \"Opportunity External Id\", 'n' AS \"Name\", {mapping} AS \"{}\" \
         FROM dynamics.opportunity AS o LOOKUP gainsight.Company AS co ON co.\"Name\" = 'Acme' \
         WHEN MULTIPLE MATCHED THEN USE ANY WHEN NOT MATCHED THEN REJECT;\n",
        field(target)
    )
}

fn name(from: ValueType, to: FieldKind) -> String {
    format!("{from:?} into {to:?}")
}

/// Every cell as a job, the right ones and the wrong ones in one project.
async fn project(stage: &Stage) -> Workspace {
    let mut text = String::new();
    for (from, cells) in MATRIX {
        for (to, cell) in TARGETS.into_iter().zip(cells) {
            text.push_str(&job(&name(from, to), value(from), to));
            if let Fit::Cast(of) = cell {
                let mapping = format!("CAST({} AS {})", value(from), of.word());
                text.push_str(&job(&format!("{} by a cast", name(from, to)), &mapping, to));
            }
        }
    }
    stage.workspace(&[("matrix.ferry", &text)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_says_what_the_matrix_says() {
    let stage = Stage::seeded(40).await;
    let workspace = project(&stage).await;
    for (from, cells) in MATRIX {
        for (to, cell) in TARGETS.into_iter().zip(cells) {
            let name = name(from, to);
            assert_eq!(workspace.project.jobs.contains_key(&name), cell == Fit::Fine, "{name}");
            let by_cast = workspace.project.jobs.contains_key(&format!("{name} by a cast"));
            assert_eq!(by_cast, matches!(cell, Fit::Cast(_)), "{name} by a cast");
        }
    }
    let found = workspace.diagnostics.sorted();
    let wrong = MATRIX.iter().flat_map(|(_, cells)| cells).filter(|cell| **cell != Fit::Fine).count();
    let errors: Vec<_> = found.into_iter().filter(|d| d.severity == Severity::Error).collect();
    assert_eq!(errors.len(), wrong, "one mistake for each cell that is not fine");
    assert!(errors.iter().all(|d| d.code.0 == "F230"), "and each of them is about the type");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_goes_through_every_cell_that_is_fine() {
    let stage = Stage::seeded(40).await;
    let workspace = project(&stage).await;
    for (from, cells) in MATRIX {
        for (to, cell) in TARGETS.into_iter().zip(cells) {
            let name = match cell {
                Fit::Fine => name(from, to),
                Fit::Cast(_) => format!("{} by a cast", name(from, to)),
                Fit::Refused(_) => continue,
            };
            let job = workspace.project.jobs[&name].at(0);
            let rows = trial(&job, &given(&job, from, cell)).await.unwrap();
            let row = &rows[0];
            // A number is no item of the picklist, which is another matter than its type.
            let takes_items = matches!(to, FieldKind::Picklist | FieldKind::MultiPicklist);
            let is_item = row.code == Some(RejectCode::UnknownItem) && takes_items;
            assert!(row.outcome == Outcome::Inserted || is_item, "{name}: {row:?}");
            assert!(row.values.last() != Some(&Literal::Null), "{name}: {row:?}");
        }
    }
}

/// One opportunity with a value in every column, and the company that the lookup finds.
fn given(job: &Job, from: ValueType, cell: Fit) -> Vec<Given> {
    let text = match cell {
        Fit::Cast(ValueType::Decimal) => "12.5",
        Fit::Cast(ValueType::Boolean) => "true",
        Fit::Cast(ValueType::Date | ValueType::DateTime) => "2026-03-31",
        _ => "Commit",
    };
    let literal = |kind: FieldKind| match kind.value_type() {
        ValueType::Integer => Literal::Integer(42),
        ValueType::Choice => Literal::Integer(1),
        ValueType::Decimal | ValueType::Double => Literal::Decimal("12.5".to_owned()),
        ValueType::Boolean => Literal::Boolean(true),
        ValueType::Date => Literal::Date(20_000),
        ValueType::DateTime => Literal::DateTime(1_700_000_000_000),
        _ => Literal::Text(text.to_owned()),
    };
    let columns: Vec<_> = job.columns.iter().map(|c| c.field.clone()).collect();
    let row = columns.iter().map(|f| literal(f.kind)).collect();
    let company = job.lookups[0].matches[0].field.clone();
    assert!(from != ValueType::Null);
    vec![
        Given { connection: "dynamics".into(), object: "opportunity".into(), fields: columns, rows: vec![row] },
        Given {
            connection: "gainsight".into(),
            object: "company".into(),
            fields: vec![ferry::model::dataset::gsid(), company],
            rows: vec![vec![Literal::Text("1P02-a".into()), Literal::Text("Acme".into())]],
        },
    ]
}
