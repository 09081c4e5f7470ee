//! `init`: a project of one's own, from the out-of-the-box one.
//!
//! The fields that carry Dynamics ids bear the organisation's name, in one of several spellings: they are read from the
//! tenant's metadata and never computed. In: two URLs, a label, and the fields if nobody is to be asked. Out: files.

use std::path::{Path, PathBuf};

use super::connections::failed;
use super::error::Error;
use super::projects::for_sandbox;
use super::workspace::{Setting, connect, nothing_open};
use crate::diagnostic::source::Sources;
use crate::lang::layout::format;
use crate::lang::project::{Parsed, read};
use crate::model::catalog::Object;
use crate::model::connection::Service;
use crate::store;

/// What a project begins with.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The folder; made if it is not there.
    pub folder: PathBuf,
    /// The organisation's URL.
    pub organization: String,
    /// The tenant's URL.
    pub gainsight: String,
    /// What the jobs are named after.
    pub label: String,
    /// The field of Company that holds the account's id; asked of the tenant if it is not given.
    pub account_key: Option<String>,
    /// The field of Company Person that holds the contact's id; likewise.
    pub contact_key: Option<String>,
}

/// How the fields begin that carry Dynamics ids.
const ACCOUNT: &str = "External Account ID";
const CONTACT: &str = "External Contact ID";
/// The same fields and the label, as the out-of-the-box project has them.
const SHIPPED_ACCOUNT: &str = "External Account ID_gainsight123";
const SHIPPED_CONTACT: &str = "External Contact ID_gainsight123";
const SHIPPED_LABEL: &str = "Dynamics Connection";

/// Writes a project; gives the names of its files.
///
/// # Errors
/// If a name or a URL cannot be used, the tenant has no such fields or several, or a file is there already.
pub async fn begin(wish: &Wish, setting: &Setting) -> Result<Vec<String>, Error> {
    if wish.label.is_empty() || wish.label.contains(['"', '\'']) || wish.label.chars().any(char::is_control) {
        return Err(Error::Usage("a label is a name without quotes, such as \"Dynamics Connection\"".to_owned()));
    }
    let shipped = for_sandbox(&text(&wish.organization), &text(&wish.gainsight));
    let parsed = connections(&shipped[0].1)?;
    let (account, contact) = match (&wish.account_key, &wish.contact_key) {
        (Some(account), Some(contact)) => (account.clone(), contact.clone()),
        _ => {
            let (company, person) = described(&parsed, setting).await?;
            let account = match &wish.account_key {
                Some(account) => account.clone(),
                None => the_one(&company, ACCOUNT, "--account-key")?,
            };
            let contact = match &wish.contact_key {
                Some(contact) => contact.clone(),
                None => the_one(&person, CONTACT, "--contact-key")?,
            };
            (account, contact)
        }
    };
    let quoted = |label: &str| label.replace('"', "\"\"");
    let mut files = Vec::with_capacity(shipped.len());
    for (name, text) in &shipped {
        let text = text
            .replace(SHIPPED_ACCOUNT, &quoted(&account))
            .replace(SHIPPED_CONTACT, &quoted(&contact))
            .replace(SHIPPED_LABEL, &wish.label);
        let laid_out = format(0, &text).map_err(|mistakes| mistaken(mistakes, name, text))?;
        files.push((*name, laid_out));
    }
    if let Some(there) = files.iter().map(|(name, _)| wish.folder.join(name)).find(|path| path.exists()) {
        let there = there.display();
        return Err(Error::Usage(format!("{there} is there already; init writes over nothing")));
    }
    store::project::write(&wish.folder, &files)?;
    Ok(files.into_iter().map(|(name, _)| name.to_owned()).collect())
}

/// The connections of the new project, which tell what is wrong with its URLs.
fn connections(written: &str) -> Result<Parsed, Error> {
    let mut sources = Sources::default();
    sources.add("connections.ferry".to_owned(), written.to_owned());
    let parsed = read(&sources);
    if parsed.diagnostics.has_errors() {
        return Err(Error::Text(Box::new((parsed.diagnostics, sources))));
    }
    Ok(parsed)
}

/// Company and Company Person, as the tenant describes them.
async fn described(parsed: &Parsed, setting: &Setting) -> Result<(Object, Object), Error> {
    let connection = parsed.connections.values().find(|c| c.service == Service::Gainsight);
    let connection = connection.expect("the out-of-the-box project has one");
    let mut services = nothing_open(setting);
    connect(connection, setting, &mut services).await?.map_err(|cause| failed(connection, cause))?;
    let client = services.gainsight.get(&connection.name).expect("it has just been opened");
    let names = ["company".to_owned(), "company_person".to_owned()];
    let found = client.describe(&names).await.map_err(|cause| failed(connection, cause.into()))?;
    match <[Object; 2]>::try_from(found) {
        Ok([company, person]) => Ok((company, person)),
        Err(_) => Err(Error::Usage("the tenant does not describe Company and Company Person".to_owned())),
    }
}

/// The only field of an object whose label begins so.
fn the_one(object: &Object, begins: &str, option: &str) -> Result<String, Error> {
    let labels: Vec<&str> =
        object.fields.iter().map(|f| f.label.as_str()).filter(|label| label.starts_with(begins)).collect();
    match labels[..] {
        [one] => Ok(one.to_owned()),
        [] => Err(Error::Usage(format!(
            "{} has no field \"{begins}_…\": make one of type STRING (255) in Gainsight, or name another with {option}",
            object.label
        ))),
        _ => Err(Error::Usage(format!(
            "{} has several fields that could hold the ids: {}; choose one with {option}",
            object.label,
            labels.iter().map(|l| format!("\"{l}\"")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// A text as it stands between single quotes.
fn text(written: &str) -> String {
    written.replace('\'', "''")
}

fn mistaken(mistakes: crate::diagnostic::report::Diagnostics, name: &str, text: String) -> Error {
    let mut sources = Sources::default();
    sources.add(Path::new(name).display().to_string(), text);
    Error::Text(Box::new((mistakes, sources)))
}
