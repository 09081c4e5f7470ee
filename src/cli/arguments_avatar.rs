//! What may stand on the command line behind `ferry avatar`.

use clap::Subcommand;

/// What can be done with the identity map.
#[derive(Debug, Subcommand)]
pub(super) enum AvatarVerb {
    /// List who is who, with names if both services can be asked.
    List {
        /// Only those who could be one of several users.
        #[arg(long)]
        ambiguous: bool,
        /// Only those of this Dynamics connection.
        #[arg(long, value_name = "CONNECTION")]
        of: Option<String>,
    },
    /// Show one user, by the id or the user name in Dynamics or in Gainsight.
    Show {
        /// The id or the user name.
        who: String,
    },
    /// Say which Gainsight user a Dynamics user is; no key is asked for it from then on.
    Associate {
        /// The Dynamics user's id or user name.
        who: String,
        /// The Gainsight user's GSID or user name.
        user: String,
        /// Take the Gainsight user from the Dynamics user that it is.
        #[arg(long = "move")]
        takes_over: bool,
        /// The Dynamics connection, where the project has several.
        #[arg(long, value_name = "CONNECTION")]
        of: Option<String>,
    },
    /// Say that a Dynamics user is not the Gainsight user that it is associated with; no key joins the two again.
    Dissociate {
        /// The Dynamics user's id.
        who: String,
        /// Let the key of the job decide anew, even for the same user.
        #[arg(long)]
        rematch: bool,
    },
}
