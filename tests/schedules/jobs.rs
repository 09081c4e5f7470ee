//! The jobs that run through faults: those out of the box, and some that use what those do not.

use crate::stage::{CHAIN, COMPANIES, PEOPLE, USERS};

/// A job or a chain.
#[derive(Debug)]
pub struct Listed {
    pub name: &'static str,
    /// Its statement; empty for what ships.
    pub text: &'static str,
    /// Parts of the paths that it requests, for choosing a job that a schedule is about.
    pub about: &'static [&'static str],
    /// The objects that it writes, each with the field of its key.
    pub keys: &'static [(&'static str, &'static str)],
}

pub const EXTERNAL: &str = "External_Account_ID_gainsight123__gc";
const OPPORTUNITY: &[(&str, &str)] = &[("Opportunity__gc", "Opportunity_External_Id__gc")];
const COMPANY: &[(&str, &str)] = &[("company", "Dynamics_Account_ID__gc")];
const OF_OPPORTUNITIES: &[&str] = &["Opportunity__gc", "opportunities"];
const OF_ACCOUNTS: &[&str] = &["objects/company", "query/company", "accounts"];
const OF_PEOPLE: &[&str] = &["people", "contacts", "query/person", "query/company"];
const OF_USERS: &[&str] = &["users/services", "systemusers", "query/gsuser"];

const fn shipped(
    name: &'static str,
    about: &'static [&'static str],
    keys: &'static [(&'static str, &'static str)],
) -> Listed {
    Listed { name, text: "", about, keys }
}

const fn own(name: &'static str, about: &'static [&'static str], text: &'static str) -> Listed {
    Listed { name, text, about, keys: OPPORTUNITY }
}

pub const JOBS: [Listed; 18] = [
    shipped(CHAIN, &[""], &[("gsuser", "SFDCUserName"), ("company", EXTERNAL), ("person", "Email")]),
    shipped(USERS, OF_USERS, &[("gsuser", "SFDCUserName")]),
    shipped(COMPANIES, OF_ACCOUNTS, &[("company", EXTERNAL)]),
    shipped(PEOPLE, OF_PEOPLE, &[("person", "Email")]),
    own(
        "deals",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(TRIM(o.name), 100) AS "Name", o.estimatedvalue AS "Amount",
            o.description AS "Notes", CAST(o.new_closetext AS DATE) AS "Close Date", o.createdon AS "Signed At"
            FROM dynamics.opportunity AS o;"#,
    ),
    own(
        "deals kept",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals kept" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name", KEEP(o.estimatedvalue) AS "Amount",
            KEEP(o.description) AS "Notes", o.closeprobability AS "Probability" FROM dynamics.opportunity AS o
            REQUIRE o.estimatedclosedate IS NOT NULL ELSE REJECT 'no close date';"#,
    ),
    own(
        "deals looked up",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals looked up" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name", cur.isocurrencycode AS "Currency",
            co."GSID" AS "Company", own."GSID" AS "Owner" FROM dynamics.opportunity AS o
            LOOKUP dynamics.transactioncurrency AS cur ON cur.transactioncurrencyid = o.transactioncurrencyid
              WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN USE 'none'
            LOOKUP gainsight.Company AS co ON co."Dynamics Account ID" = o.parentaccountid
              WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN USE NULL
            LOOKUP gainsight.User AS own ON own."Username" = o.ownerid.domainname IGNORE CASE
              WHEN MULTIPLE MATCHED THEN USE FIRST BY own."Email" WHEN NOT MATCHED THEN USE NULL
            WHERE cur.isocurrencycode <> 'JPY';"#,
    ),
    own(
        "deals of known companies",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals of known companies" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id")
            SELECT o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name", co."GSID" AS "Company",
            LABEL(o.statecode) AS "State" FROM dynamics.opportunity AS o
            LOOKUP gainsight.Company AS co ON co."Dynamics Account ID" = o.parentaccountid
              WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT
            WHERE o.estimatedvalue >= 1000;"#,
    ),
    own(
        "deals by value",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals by value" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name", o.estimatedvalue AS "Amount",
            o.statecode = 'Won' AS "Won" FROM dynamics.opportunity AS o LOAD FIRST BY o.estimatedvalue DESC;"#,
    ),
    own(
        "deals inserted",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals inserted" AS INSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name" FROM dynamics.opportunity AS o;"#,
    ),
    own(
        "deals updated",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "deals updated" AS UPDATE gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name", o.description AS "Notes",
            CASE WHEN o.closeprobability >= 80 THEN 'Commit' WHEN o.closeprobability >= 40 THEN 'Best case' ELSE 'Pipeline'
            END AS "Forecast" FROM dynamics.opportunity AS o;"#,
    ),
    Listed {
        keys: &[("Opportunity__gc", "Currency__gc")],
        ..own(
            "newest deal of each account",
            OF_OPPORTUNITIES,
            r#"CREATE JOB "newest deal of each account" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Currency")
                WHEN DUPLICATE KEY THEN KEEP LATEST BY o.modifiedon SELECT
                COALESCE(o.parentaccountid.name, 'nobody') AS "Currency", o.opportunityid AS "Opportunity External Id",
                LEFT(o.name, 100) AS "Name" FROM dynamics.opportunity AS o
                WHERE LENGTH(o.parentaccountid.name) < 200 ON ERROR CONTINUE UP TO 90 PERCENT;"#,
        )
    },
    own(
        "choices",
        OF_OPPORTUNITIES,
        r#"CREATE JOB "choices" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            o.opportunityid AS "Opportunity External Id", LEFT(o.name, 100) AS "Name",
            LABEL(o.opportunityratingcode) AS "Currency", LABEL(o.purchasetimeframe) AS "Description"
            FROM dynamics.opportunity AS o ON UNKNOWN CHOICE TEXT;"#,
    ),
    own(
        "projects",
        &["Opportunity__gc", "new_projects"],
        r#"CREATE JOB "projects" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id") SELECT
            p.new_code AS "Opportunity External Id", p.new_name AS "Name", p.new_budget AS "Amount", p.new_start AS "Signed At"
            FROM dynamics.new_project AS p ON ERROR STOP;"#,
    ),
    Listed {
        keys: COMPANY,
        ..own(
            "addresses",
            OF_ACCOUNTS,
            r#"CREATE JOB "addresses" AS UPSERT INTO gainsight.Company KEY ("Dynamics Account ID") SELECT
                a.accountid AS "Dynamics Account ID", a.name AS "Name", a.websiteurl AS "Billing Address",
                KEEP(a.revenue) AS "ARR" FROM dynamics.account AS a WHERE a.name IS NOT NULL;"#,
        )
    },
    Listed {
        keys: COMPANY,
        ..own(
            "parents",
            OF_ACCOUNTS,
            r#"CREATE JOB "parents" AS UPSERT INTO gainsight.Company KEY ("Dynamics Account ID") SELECT
                a.accountid AS "Dynamics Account ID", a.name AS "Name", up."GSID" AS "Parent Company",
                a.websiteurl AS "Billing Address" FROM dynamics.account AS a
                LOOKUP gainsight.Company AS up ON up."Dynamics Account ID" = a.parentaccountid AFTER LOAD
                  WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN USE NULL;"#,
        )
    },
    Listed {
        keys: &[("gsuser", "SFDCUserName")],
        ..own(
            "titles of users",
            OF_USERS,
            r#"CREATE JOB "titles of users" AS UPSERT INTO gainsight.User, gainsight.Avatar_Dynamics
                KEY (User."Username") SELECT u.systemuserid AS Avatar_Dynamics."Dynamics User Id",
                u.domainname AS User."Username", u.internalemailaddress AS User."Email", u.firstname AS User."First Name",
                u.jobtitle AS User."Title"
                FROM dynamics.systemuser AS u WHERE u.isdisabled = FALSE;"#,
        )
    },
    Listed {
        keys: &[("person", "Email")],
        ..own(
            "titles of people",
            OF_PEOPLE,
            r#"CREATE JOB "titles of people" AS UPSERT INTO gainsight.Person, gainsight."Company Person" KEY (Person."Email")
                SELECT c.firstname AS Person."First Name", c.emailaddress1 AS Person."Email",
                c.contactid AS "Company Person"."External Contact ID_gainsight123", c.jobtitle AS "Company Person"."Title",
                co."GSID" AS "Company Person"."Company ID" FROM dynamics.contact AS c
                LOOKUP gainsight.Company AS co ON co."External Account ID_gainsight123" = c.parentcustomerid
                  WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT
                WHERE c.emailaddress1 IS NOT NULL;"#,
        )
    },
];
