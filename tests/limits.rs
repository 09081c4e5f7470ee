//! Scripts at the limits and beyond: what is let through is planned and carried out, what is not gets a diagnostic at once.

use ferry::app::tests::of;
use ferry::diagnostic::report::Severity;

use crate::stage::Stage;

/// A job over opportunities with this filter and this mapping into a text field, and a test that one row passes.
fn script(filter: &str, mapping: &str) -> String {
    format!(
        "CREATE JOB \"J\" TIME ZONE 'Europe/Berlin' AS UPSERT INTO gainsight.\"Opportunity__gc\" KEY (\"Opportunity External Id\") SELECT \
         o.opportunityid AS \"Opportunity External Id\", 'n' AS \"Name\", {mapping} AS \"Notes\" \
         FROM dynamics.opportunity AS o WHERE {filter};\n\
         CREATE TEST \"T\" FOR \"J\" AS GIVEN dynamics.opportunity (opportunityid, name, closeprobability) VALUES \
         ('o1', 'x', 7) EXPECT gainsight.\"Opportunity__gc\" (\"Opportunity External Id\") VALUES ('o1');\n"
    )
}

fn joined(count: usize, with: &str, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(with)
}

async fn passes(stage: &Stage, what: &str, filter: &str, mapping: &str) {
    let workspace = stage.workspace(&[("limits.ferry", &script(filter, mapping))]).await;
    let mistakes: Vec<String> = workspace
        .diagnostics
        .sorted()
        .into_iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| d.message.clone())
        .collect();
    assert!(mistakes.is_empty(), "{what}: {mistakes:?}");
    let tested = of(&workspace, &["limits.ferry".into()]).await.unwrap();
    assert!(tested.len() == 1 && tested[0].passed, "{what}: {tested:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_within_the_limits_is_carried_out() {
    let stage = Stage::seeded(40).await;
    let equals = |n: usize| format!("o.closeprobability = {n}");
    passes(&stage, "1,000 ORs", &joined(1_000, " OR ", equals), "o.name").await;
    let differs = |n: usize| format!("o.closeprobability <> {}", n + 8);
    passes(&stage, "1,000 ANDs", &joined(1_000, " AND ", differs), "o.name").await;
    passes(&stage, "1,000 texts", "TRUE", &joined(1_000, " || ", |_| "o.name".to_owned())).await;
    let arms = joined(1_000, " ", |n| format!("WHEN o.closeprobability = {n} THEN 'a{n}'"));
    passes(&stage, "1,000 arms", "TRUE", &format!("CASE {arms} END")).await;
    let sum = joined(21, " + ", |_| "o.closeprobability".to_owned());
    passes(&stage, "20 signs", &format!("{sum} = 147"), "o.name").await;
    let listed = joined(1_000, ", ", |n| n.to_string());
    passes(&stage, "1,000 values", &format!("o.closeprobability IN ({listed})"), "o.name").await;
    let deep = format!("{}o.name{}", "TRIM(".repeat(38), ")".repeat(38));
    passes(&stage, "38 calls", "TRUE", &deep).await;
    let nested = format!("{}'x'{}", "CASE WHEN o.closeprobability > 1 THEN ".repeat(40), " END".repeat(40));
    passes(&stage, "40 CASEs", "TRUE", &nested).await;
    let casts = format!("{}o.closeprobability{}", "CAST(CAST(".repeat(19), " AS TEXT) AS INTEGER)".repeat(19));
    passes(&stage, "38 casts", &format!("{casts} = 7"), "o.name").await;
    // Each of these tests a value before it is used, which must not make two of it.
    let moved = format!("NOW{}", " + INTERVAL '1 day'".repeat(20));
    passes(&stage, "20 constant intervals", &format!("{moved} > NOW"), "o.name").await;
    let moved = format!("(o.createdon{} > NOW) IS NULL", " + INTERVAL '1 day 1 hour'".repeat(20));
    passes(&stage, "20 intervals", &moved, "o.name").await;
    let days = format!("(o.estimatedclosedate{} > TODAY) IS NULL", " + INTERVAL '1 month'".repeat(20));
    passes(&stage, "20 intervals of days", &days, "o.name").await;
    let moments = format!("{}o.description{}", "CAST(CAST(".repeat(18), " AS DATETIME) AS TEXT)".repeat(18));
    passes(&stage, "36 casts of moments", "TRUE", &moments).await;
    let dates = format!("{}o.description{}", "CAST(CAST(".repeat(18), " AS DATE) AS TEXT)".repeat(18));
    passes(&stage, "36 casts of days", "TRUE", &dates).await;
    let guards = (0..28).fold("TRUE".to_owned(), |inner, n| {
        let way = if n % 2 == 0 { "AND" } else { "OR" };
        format!("({inner} {way} CAST(o.description AS INTEGER) = {n})")
    });
    passes(&stage, "28 guards", &format!("({guards}) IS NULL"), "o.name").await;
    let filled =
        (0..18).fold("o.name".to_owned(), |inner, _| format!("COALESCE(UPPER({inner}), o.description, o.stepname)"));
    passes(&stage, "18 COALESCEs", "TRUE", &filled).await;
    let asked = (0..28).fold("o.name = 'x'".to_owned(), |inner, _| {
        format!("CASE WHEN {inner} THEN TRUE WHEN o.stepname = 'k' THEN TRUE ELSE FALSE END")
    });
    passes(&stage, "28 CASEs of conditions", &asked, "o.name").await;
    let terms = joined(900, " || ", |n| format!("CAST(CAST(o.closeprobability AS INTEGER) + {n} AS TEXT)"));
    passes(&stage, "900 terms that can fail", "TRUE", &terms).await;
    let rounded = format!("{}o.estimatedvalue{}", "ROUND(".repeat(36), ", 2)".repeat(36));
    passes(&stage, "36 calls that can fail", &format!("({rounded} > 1) IS NULL"), "o.name").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_them_gets_a_diagnostic() {
    let stage = Stage::seeded(40).await;
    let refused = async |filter: &str, said: &str| {
        let workspace = stage.workspace(&[("limits.ferry", &script(filter, "o.name"))]).await;
        let found: Vec<String> = workspace.diagnostics.sorted().iter().map(|d| d.message.clone()).collect();
        assert!(found.iter().any(|m| m.contains(said)), "{said}: {found:?}");
    };
    let equals = |n: usize| format!("o.closeprobability={n}");
    refused(&joined(1_001, " OR ", equals), "1000 terms are the most").await;
    refused(&joined(30_000, " OR ", equals), "10000 are the most").await;
    refused(&format!("{} > 0", joined(22, " + ", |_| "1".to_owned())), "20 signs at most").await;
    refused(&format!("o.closeprobability IN ({})", joined(1_001, ", ", |n| n.to_string())), "1000 values at most")
        .await;
    refused(&format!("{}TRUE{}", "(".repeat(65), ")".repeat(65)), "more than 64 deep").await;
    let deep = format!("{}1{} > 0", "(".repeat(60), " + o.closeprobability)".repeat(60));
    refused(&deep, "nested too deeply to be planned").await;
    let within = (0..22).fold("TRUE".to_owned(), |inner, _| format!("({inner}) BETWEEN FALSE AND TRUE"));
    refused(&within, "10000 are the most").await;
    let chosen = (0..22).fold("1".to_owned(), |inner, _| format!("CASE {inner} WHEN 1 THEN 1 WHEN 2 THEN 2 END"));
    refused(&format!("{chosen} = 1"), "10000 are the most").await;
    // Signs and NOTs in a row are one or none.
    passes(&stage, "100,000 NOTs", &format!("{}TRUE", "NOT ".repeat(100_000)), "o.name").await;
    passes(&stage, "100,000 signs", &format!("{}1 > 0", "- ".repeat(100_000)), "o.name").await;
}
