//! Values of every kind on their way: what arrives, what is bad, and that a second run finds nothing to change.

use serde_json::{Value, json};

use crate::stage::{Stage, errors, line_of};

const JOB: &str = r#"
CREATE JOB "Kinds" AS
UPSERT INTO gainsight.Company
  KEY ("External Account ID_gainsight123")
SELECT
  a.accountid                        AS "External Account ID_gainsight123",
  TRIM(a.name)                       AS "Name",
  a.revenue                          AS "ARR",
  a.numberofemployees                AS "Users",
  CAST(a.createdon AS DATE)          AS "Renewal Date",
  a.statecode = 'Active'             AS "Strategic",
  COALESCE(a.accountnumber, 'Launched') AS "Stage",
  a.websiteurl                       AS "Website",
  KEEP(a.description)                AS "Summary",
  a.telephone1 || ' / ' || a.fax     AS "Billing Address",
  csm."GSID"                         AS "CSM",
  up."GSID"                          AS "Parent Company"
FROM dynamics.account AS a
LOOKUP gainsight.User AS csm ON csm."Email" = UPPER(a.emailaddress1)
  WHEN MULTIPLE MATCHED THEN USE ANY
  WHEN NOT MATCHED THEN USE NULL
LOOKUP gainsight.Company AS up ON up."External Account ID_gainsight123" = a.parentaccountid
  AFTER LOAD
  WHEN MULTIPLE MATCHED THEN ERROR
  WHEN NOT MATCHED THEN USE NULL
WHERE a.name IS NOT NULL AND (csm."GSID" IS NOT NULL OR a.industrycode IS NULL);
"#;

fn account(number: u8, more: Value) -> String {
    let mut row = json!({
        "accountid": format!("00000000-0000-0000-0000-0000000000{number:02}"), "name": format!("  A{number} "),
        "revenue": 1234.5678, "numberofemployees": 7, "createdon": "2024-02-29T23:59:59Z", "statecode": 0,
        "accountnumber": null, "websiteurl": "https://a.example/", "description": null, "telephone1": "1",
        "emailaddress1": null, "industrycode": null, "_parentaccountid_value": null, "modifiedon": "2024-03-01T00:00:00Z",
    });
    for (key, value) in more.as_object().unwrap() {
        row[key] = value.clone();
    }
    row.to_string() + "\n"
}

fn id(number: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{number:02}")
}

async fn stage() -> Stage {
    let accounts = [
        account(1, json!({ "_parentaccountid_value": id(9) })),
        account(
            2,
            json!({ "accountnumber": "Kicked Off", "revenue": null, "statecode": 1, "description": "two\nlines" }),
        ),
        account(3, json!({ "accountnumber": "No such stage" })),
        account(4, json!({ "emailaddress1": "Csm@Example.com", "industrycode": 3, "websiteurl": "" })),
        account(5, json!({ "industrycode": 3 })),
        account(6, json!({ "name": null })),
        account(9, json!({ "revenue": -0.005, "numberofemployees": 0 })),
    ];
    let stage = Stage::world("", &accounts.concat(), "").await;
    let csm = json!({ "SFDCUserName": "csm", "Email": "csm@example.com", "Name": "C" });
    stage.sandbox.put_record("gsuser", csm.as_object().cloned().unwrap());
    stage
}

fn company(stage: &Stage, number: u8) -> Option<Value> {
    let all = stage.sandbox.records("company");
    all.into_iter().find(|c| c["External_Account_ID_gainsight123__gc"] == id(number)).map(Value::Object)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_arrive_in_their_stored_form_and_stay() {
    let stage = stage().await;
    let (mut reports, result) = stage.try_run_with("Kinds", &[("kinds.ferry", JOB)]).await;
    result.unwrap();
    let report = reports.remove(0);
    assert_eq!((report.counts.inserted, report.counts.error, report.counts.filtered), (4, 1, 1), "{report:?}");
    assert_eq!(report.counts.read, 6, "a row without a name is not even read");
    assert_eq!(line_of(&errors(&report), &id(3)).unwrap()["code"], "UNKNOWN_ITEM");
    let one = company(&stage, 1).unwrap();
    assert_eq!((&one["Name"], &one["Users"], &one["Strategic__gc"]), (&json!("A1"), &json!(7), &json!(true)));
    assert_eq!(one["Arr"].as_f64(), Some(1234.57), "at the scale of the field");
    assert_eq!(one["ParentCompany"], company(&stage, 9).unwrap()["Gsid"], "the parent arrives later in the run");
    assert!(one["BillingAddress"].is_null(), "a null in a concatenation is null");
    let two = company(&stage, 2).unwrap();
    assert_eq!((&two["Summary"], &two["Arr"]), (&json!("two\nlines"), &Value::Null));
    assert_ne!(two["Stage"], one["Stage"]);
    let four = company(&stage, 4).unwrap();
    assert!(four["Csm"].is_string(), "e-mails match without case");
    assert!(four["Website__gc"].is_null(), "an empty text is stored as null");
    assert!(company(&stage, 5).is_none(), "filtered by what its lookup found");

    let (mut reports, result) = stage.try_run_with("Kinds", &[("kinds.ferry", JOB)]).await;
    result.unwrap();
    let again = reports.remove(0);
    assert_eq!((again.counts.unchanged, again.calls.gainsight_writes), (4, 0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_leaves_a_value_alone_and_a_null_overwrites() {
    let stage = stage().await;
    stage.try_run_with("Kinds", &[("kinds.ferry", JOB)]).await.1.unwrap();
    let row = json!({
        "accountid": id(2), "name": "A2", "description": null, "websiteurl": null, "revenue": 1.0,
        "statecode": 1, "createdon": "2024-02-29T00:00:00Z", "accountnumber": "Kicked Off", "numberofemployees": 7,
    });
    assert!(stage.sandbox.put_row("account", row.as_object().cloned().unwrap()));
    let (reports, result) = stage.try_run_with("Kinds", &[("kinds.ferry", JOB)]).await;
    result.unwrap();
    assert_eq!((reports[0].counts.updated, reports[0].calls.gainsight_writes), (1, 1));
    let two = company(&stage, 2).unwrap();
    assert_eq!((&two["Summary"], &two["Website__gc"]), (&json!("two\nlines"), &Value::Null));
    assert_eq!(two["Arr"].as_f64(), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_choices_arrive_with_their_labels() {
    const LABELS: [(&str, &str); 4] = [
        ("100000000", "Discovery"),
        ("100000001", "Demo"),
        ("100000002", "Security Review"),
        ("100000003", "Contract"),
    ];
    let stage = Stage::seeded(200).await;
    let job = r#"
CREATE JOB "Stages" AS
UPSERT INTO gainsight."Opportunity__gc"
  KEY ("Opportunity External Id")
SELECT
  o.opportunityid     AS "Opportunity External Id",
  'n'                 AS "Name",
  LABEL(o.new_stages) AS "Notes"
FROM dynamics.opportunity AS o
WHERE o.new_stages IS NOT NULL;
"#;
    let (reports, result) = stage.try_run_with("Stages", &[("stages.ferry", job)]).await;
    result.unwrap();
    assert_eq!(reports[0].counts.error, 0, "{:?}", errors(&reports[0]));
    let mut seen = 0;
    for row in stage.sandbox.table("opportunity") {
        let Some(codes) = row["new_stages"].as_str() else { continue };
        let label = |code: &str| LABELS.iter().find(|(known, _)| *known == code).unwrap().1;
        let expected: Vec<&str> = codes.split(',').map(label).collect();
        let records = stage.sandbox.records("Opportunity__gc");
        let record = records.iter().find(|r| r["Opportunity_External_Id__gc"] == row["opportunityid"]).unwrap();
        assert_eq!(record["Notes__gc"], expected.join(";"), "{codes}");
        seen += usize::from(expected.len() > 1);
    }
    assert!(seen > 3, "rows with several");
}
