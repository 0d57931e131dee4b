//! A secret on its way from the form that made it to the one page that shows it: it waits in the session, sealed, and
//! reading it takes it away.
use crate::problem::Problem;
use crate::state::ConsoleState;
use crate::who::SignedIn;
use bytespike_accounts::secrets::{Place, SecretText};

/// What a secret is of: the entry of the session that holds the newest one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Key,
    Webhook,
}

impl Of {
    const fn entry(self) -> &'static str {
        match self {
            Self::Key => "shown_key",
            Self::Webhook => "shown_webhook_secret",
        }
    }
}

/// Puts a new secret where only the next page of this session finds it. `id` is of what it is the secret of.
pub(crate) async fn keep(
    (state, who): (&ConsoleState, &SignedIn),
    (of, id): (Of, &str),
    secret: &SecretText,
) -> Result<(), Problem> {
    let sealed = state.shown_key.seal(&state.world, place(of, id), secret.expose().as_bytes());
    Ok(who.cookie.insert(of.entry(), (id, sealed)).await?)
}

/// Takes it out; nothing the second time.
pub(crate) async fn take(
    (state, who): (&ConsoleState, &SignedIn),
    (of, id): (Of, &str),
) -> Result<Option<SecretText>, Problem> {
    let kept: Option<(String, String)> = who.cookie.get(of.entry()).await?;
    let Some((_, sealed)) = kept.filter(|(kept_id, _)| kept_id == id) else { return Ok(None) };
    who.cookie.remove::<(String, String)>(of.entry()).await?;
    Ok(state.shown_key.open_text(place(of, id), &sealed).ok())
}

fn place(of: Of, id: &str) -> Place<'_> {
    Place { table: "session", row: id, column: of.entry() }
}
