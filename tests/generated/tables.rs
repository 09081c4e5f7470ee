//! The tables and objects that generated jobs read and write: the columns, their types, and the values that rows draw from.
//!
//! The pools are small, so that equal values meet, and odd, so that nulls, empty texts and other cases do too.

use super::value::T;

/// A column of a source row, or one that a path leads to.
#[derive(Debug)]
pub struct Column {
    /// As a script writes it behind the alias.
    pub written: &'static str,
    /// The lookup columns on the way, each with the table that it leads to.
    pub hops: &'static [(&'static str, &'static str)],
    /// The column at the end.
    pub field: &'static str,
    pub of: T,
    /// The labels of a choice.
    pub labels: &'static [(i64, &'static str)],
}

impl Column {
    /// The column behind the alias of its job.
    pub fn shown(&self, alias: &str) -> String {
        match self.written.strip_prefix("TREAT(") {
            Some(rest) => format!("TREAT({alias}.{rest}"),
            None => format!("{alias}.{}", self.written),
        }
    }
}

/// A field of an object or table that lookups search.
#[derive(Debug)]
pub struct Searched {
    /// As a script writes it, quotes and all.
    pub written: &'static str,
    /// Its name in the service.
    pub name: &'static str,
    pub of: T,
    pub is_email: bool,
    pub labels: &'static [(i64, &'static str)],
}

/// An object or a table that lookups search.
#[derive(Debug)]
pub struct Object {
    /// `gainsight.User`
    pub written: &'static str,
    pub connection: &'static str,
    pub name: &'static str,
    /// What messages call it.
    pub label: &'static str,
    /// The first is the id.
    pub fields: &'static [Searched],
}

/// A field that mappings fill.
#[derive(Debug)]
pub struct Field {
    pub label: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// The most characters of a text.
    pub length: usize,
    pub items: &'static [&'static str],
    /// The object that a GSID in it points at.
    pub points_at: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Email,
    Url,
    /// With so many digits behind the point.
    Number(u32),
    Flag,
    Day,
    Moment,
    Picklist,
    Gsid,
}

/// A source and a target that jobs connect.
#[derive(Debug)]
pub struct Shape {
    pub table: &'static str,
    pub alias: &'static str,
    /// The first is the id.
    pub columns: &'static [Column],
    pub target: &'static str,
    pub object: &'static str,
    pub fields: &'static [Field],
    /// The fields that a key is made of.
    pub keys: &'static [&'static str],
    pub searched: &'static [&'static Object],
}

const fn own(field: &'static str, of: T) -> Column {
    Column { written: field, hops: &[], field, of, labels: &[] }
}

const fn path(
    written: &'static str,
    hops: &'static [(&'static str, &'static str)],
    field: &'static str,
    of: T,
) -> Column {
    Column { written, hops, field, of, labels: &[] }
}

const fn choice(written: &'static str, field: &'static str, labels: &'static [(i64, &'static str)]) -> Column {
    Column { written, hops: &[], field, of: T::Choice, labels }
}

const fn found(written: &'static str, name: &'static str, of: T) -> Searched {
    Searched { written, name, of, is_email: false, labels: &[] }
}

const fn field(label: &'static str, name: &'static str, kind: Kind, length: usize) -> Field {
    Field { label, name, kind, required: false, length, items: &[], points_at: "" }
}

const ACTIVE: &[(i64, &str)] = &[(0, "Active"), (1, "Inactive")];
const STATES: &[(i64, &str)] = &[(0, "Open"), (1, "Won"), (2, "Lost")];
const RATINGS: &[(i64, &str)] = &[(1, "Hot"), (2, "Warm"), (3, "Cold")];
const ACCOUNT: (&str, &str) = ("parentaccountid", "account");
const OWNER: (&str, &str) = ("ownerid", "systemuser");

static SALES_COLUMNS: &[Column] = &[
    own("opportunityid", T::Id),
    own("name", T::Text),
    own("description", T::Text),
    own("stepname", T::Text),
    own("new_closetext", T::Text),
    own("closeprobability", T::Whole),
    own("estimatedvalue", T::Exact),
    own("budgetamount", T::Exact),
    own("estimatedclosedate", T::Day),
    own("actualclosedate", T::Day),
    own("createdon", T::Moment),
    own("modifiedon", T::Moment),
    own("isrevenuesystemcalculated", T::Flag),
    choice("statecode", "statecode", STATES),
    choice("opportunityratingcode", "opportunityratingcode", RATINGS),
    own("parentaccountid", T::Id),
    own("ownerid", T::Id),
    path("parentaccountid.name", &[ACCOUNT], "name", T::Text),
    path("parentaccountid.numberofemployees", &[ACCOUNT], "numberofemployees", T::Whole),
    path("parentaccountid.parentaccountid.name", &[ACCOUNT, ACCOUNT], "name", T::Text),
    path("parentaccountid.ownerid.lastname", &[ACCOUNT, OWNER], "lastname", T::Text),
    path("ownerid.lastname", &[OWNER], "lastname", T::Text),
    path("ownerid.internalemailaddress", &[OWNER], "internalemailaddress", T::Text),
    path("TREAT(ownerid AS team).name", &[("ownerid", "team")], "name", T::Text),
    Column {
        written: "parentaccountid.statecode",
        hops: &[ACCOUNT],
        field: "statecode",
        of: T::Choice,
        labels: ACTIVE,
    },
];

static ACCOUNT_COLUMNS: &[Column] = &[
    own("accountid", T::Id),
    own("name", T::Text),
    own("description", T::Text),
    own("accountnumber", T::Text),
    own("address1_city", T::Text),
    own("numberofemployees", T::Whole),
    own("revenue", T::Exact),
    own("createdon", T::Moment),
    own("modifiedon", T::Moment),
    own("creditonhold", T::Flag),
    choice("statecode", "statecode", ACTIVE),
    own("parentaccountid", T::Id),
    own("ownerid", T::Id),
    path("parentaccountid.name", &[ACCOUNT], "name", T::Text),
    path("ownerid.lastname", &[OWNER], "lastname", T::Text),
];

static USER: Object = Object {
    written: "gainsight.User",
    connection: "gainsight",
    name: "gsuser",
    label: "User",
    fields: &[
        found("\"GSID\"", "Gsid", T::Gsid),
        found("\"First Name\"", "FirstName", T::Text),
        found("\"Last Name\"", "LastName", T::Text),
        Searched { written: "\"Email\"", name: "Email", of: T::Text, is_email: true, labels: &[] },
        found("\"Username\"", "SFDCUserName", T::Text),
        found("\"Title\"", "Title", T::Text),
        found("\"Locale\"", "Locale", T::Text),
        found("\"Is Active User\"", "IsActiveUser", T::Flag),
        found("\"Modified Date\"", "ModifiedDate", T::Moment),
    ],
};

pub static COMPANY: Object = Object {
    written: "gainsight.Company",
    connection: "gainsight",
    name: "company",
    label: "Company",
    fields: &[
        found("\"GSID\"", "Gsid", T::Gsid),
        found("\"Name\"", "Name", T::Text),
        found("\"Industry\"", "Industry", T::Text),
        found("\"Dynamics Account ID\"", "Dynamics_Account_ID__gc", T::Text),
        found("\"Billing Address\"", "BillingAddress", T::Text),
        found("\"Employees\"", "Employees", T::Exact),
        found("\"Renewal Date\"", "RenewalDate", T::Day),
        found("\"Strategic\"", "Strategic__gc", T::Flag),
        found("\"Modified Date\"", "ModifiedDate", T::Moment),
    ],
};

static CONTACT: Object = Object {
    written: "dynamics.contact",
    connection: "dynamics",
    name: "contact",
    label: "Contact",
    fields: &[
        found("contactid", "contactid", T::Id),
        found("firstname", "firstname", T::Text),
        found("lastname", "lastname", T::Text),
        found("emailaddress1", "emailaddress1", T::Text),
        found("department", "department", T::Text),
        found("numberofchildren", "numberofchildren", T::Whole),
        found("annualincome", "annualincome", T::Exact),
        found("birthdate", "birthdate", T::Day),
        found("donotemail", "donotemail", T::Flag),
        found("parentcustomerid", "parentcustomerid", T::Id),
        Searched { written: "statecode", name: "statecode", of: T::Choice, is_email: false, labels: ACTIVE },
    ],
};

/// The companies that the job itself writes.
pub static OWN_COMPANIES: Object = Object {
    written: "gainsight.Company",
    connection: "gainsight",
    name: "company",
    label: "Company",
    fields: &[
        found("\"GSID\"", "Gsid", T::Gsid),
        found("\"External Account ID_gainsight123\"", "External_Account_ID_gainsight123__gc", T::Text),
        found("\"Name\"", "Name", T::Text),
        found("\"Industry\"", "Industry", T::Text),
        found("\"Billing Address\"", "BillingAddress", T::Text),
    ],
};

pub static SALES: Shape = Shape {
    table: "opportunity",
    alias: "o",
    columns: SALES_COLUMNS,
    target: "gainsight.\"Opportunity__gc\"",
    object: "Opportunity__gc",
    keys: &["Opportunity External Id", "Currency", "Contact Email", "Score"],
    searched: &[&USER, &COMPANY, &CONTACT],
    fields: &[
        Field { required: true, ..field("Opportunity External Id", "Opportunity_External_Id__gc", Kind::Text, 255) },
        Field { required: true, ..field("Name", "Name", Kind::Text, 100) },
        Field { points_at: "Company", ..field("Company", "Company__gc", Kind::Gsid, 0) },
        Field { points_at: "User", ..field("Owner", "Owner__gc", Kind::Gsid, 0) },
        field("Amount", "Amount__gc", Kind::Number(2), 0),
        field("Score", "Score__gc", Kind::Number(0), 0),
        field("Close Date", "Close_Date__gc", Kind::Day, 0),
        field("Signed At", "Signed_At__gc", Kind::Moment, 0),
        field("Strategic", "Strategic__gc", Kind::Flag, 0),
        Field { items: &["Open", "Won", "Lost", "Deleted"], ..field("State", "State__gc", Kind::Picklist, 0) },
        Field { items: &["Commit", "Best case", "Pipeline"], ..field("Forecast", "Forecast__gc", Kind::Picklist, 0) },
        field("Currency", "Currency__gc", Kind::Text, 255),
        field("Website", "Website__gc", Kind::Url, 500),
        field("Contact Email", "Contact_Email__gc", Kind::Email, 255),
    ],
};

pub static COMPANIES: Shape = Shape {
    table: "account",
    alias: "a",
    columns: ACCOUNT_COLUMNS,
    target: "gainsight.Company",
    object: "company",
    keys: &["External Account ID_gainsight123", "Industry"],
    searched: &[&USER, &CONTACT, &OWN_COMPANIES],
    fields: &[
        field("External Account ID_gainsight123", "External_Account_ID_gainsight123__gc", Kind::Text, 255),
        Field { required: true, ..field("Name", "Name", Kind::Text, 255) },
        Field { points_at: "Company", ..field("Parent Company", "ParentCompany", Kind::Gsid, 0) },
        Field { points_at: "User", ..field("CSM", "Csm", Kind::Gsid, 0) },
        field("Industry", "Industry", Kind::Text, 255),
        field("Billing Address", "BillingAddress", Kind::Text, 255),
        field("Employees", "Employees", Kind::Number(0), 0),
        field("ARR", "Arr", Kind::Number(2), 0),
        field("Strategic", "Strategic__gc", Kind::Flag, 0),
        Field { items: &["Active", "Inactive", "Churn"], ..field("Status", "Status", Kind::Picklist, 0) },
    ],
};
