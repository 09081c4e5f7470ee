//! `CREATE SETTINGS`: what holds for a project as a whole.

/// The settings of a project, each with what holds where a script says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The time zone of jobs that name none.
    pub time_zone: String,
    /// How long extracted rows are kept after a success, in seconds.
    pub staging_seconds: u64,
    /// How long error files are kept, in seconds.
    pub error_files_seconds: u64,
    /// How long activities are kept, in seconds.
    pub activities_seconds: u64,
    /// Hosts of other domains than the services' own that connections may lead to.
    pub allowed_hosts: Vec<String>,
    /// The name of the secret that signs notices to webhooks.
    pub webhook_key: Option<String>,
    /// How large an error file may be that goes along with a mail, in bytes; none goes along, if this is zero.
    pub notice_attach_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            time_zone: "UTC".to_owned(),
            staging_seconds: 7 * DAY,
            error_files_seconds: 30 * DAY,
            activities_seconds: 90 * DAY,
            allowed_hosts: Vec::new(),
            webhook_key: None,
            notice_attach_bytes: 1 << 20,
        }
    }
}
