//! Mail over SMTP. Letters wait in the database, sealed, because they carry one-time links: a crash between a form and
//! the mail server loses none. Several processes share the work, each letter leased to one of them at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytespike_accounts::secrets::{Place, SealKey};
use bytespike_console::{Letter, Mailer};
use bytespike_store::letter::{self, NewLetter};
use bytespike_store::world::World;
use bytespike_store::{Store, sqlx};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::{Mail, SmtpSecurity};

/// Waits before the second and every later try of one letter; after the last it is given up.
const RETRY_AFTER_MS: [i64; 7] = [1_000, 10_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000];
/// How long a letter is one process's; longer than a mail server is waited for.
const LEASE_MS: i64 = 120_000;
/// Letters that other processes wrote, and those that are due again, are looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// That a letter was sent is remembered this long.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// Keeps letters until they are sent. Clones share it.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    world: World,
    seal: SealKey,
    wake: Arc<Notify>,
}

/// A letter in its envelope, for [`letter::insert`].
pub struct Sealed {
    pub id: String,
    pub text: String,
}

/// Why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("mail.smtp_host: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("mail.from: {0}")]
    From(#[from] lettre::address::AddressError),
}

/// Takes letters out of the outbox to the mail server.
pub struct Carrier {
    outbox: Outbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Outbox {
    #[must_use]
    pub fn new(store: Store, world: World, seal: SealKey) -> Self {
        Self { store, world, seal, wake: Arc::new(Notify::new()) }
    }

    /// Seals a letter under an id of its own.
    #[must_use]
    pub fn seal(&self, letter: &Letter) -> Sealed {
        let id = self.world.id("ltr");
        // Four strings always serialise.
        let json = serde_json::to_vec(letter).unwrap_or_default();
        let text = self.seal.seal(&self.world, place(&id), &json);
        Sealed { id, text }
    }

    /// Has letters that were just written sent without delay.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    async fn keep(&self, letter: Option<Letter>) -> sqlx::Result<()> {
        let wanted = letter.is_some();
        let nothing =
            || Letter { to: String::new(), subject: String::new(), text: String::new(), html: String::new() };
        let Sealed { id, text } = self.seal(&letter.unwrap_or_else(nothing));
        let new = NewLetter { id: &id, sealed: &text, now_ms: self.world.now_ms() };
        letter::insert(&self.store, new, wanted).await
    }

    /// `None` when it was sealed with another master key, or damaged.
    pub fn open(&self, kept: &letter::Letter) -> Option<Letter> {
        let json = self.seal.open(place(&kept.id), &kept.sealed).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

impl Mailer for Outbox {
    fn send(&self, letter: Option<Letter>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match self.keep(letter).await {
                Ok(()) => self.wake(),
                Err(error) => {
                    metrics::counter!("bytespike_mails_failed_total").increment(1);
                    tracing::error!(%error, "a letter could not be kept; its reader has to ask again");
                }
            }
        })
    }
}

/// Where no mail server is configured and strangers can connect: letters carry links that only their reader may see.
pub struct NoMail;

impl Mailer for NoMail {
    fn send(&self, letter: Option<Letter>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if letter.is_some() {
            tracing::warn!("a letter was not sent: mail.smtp_host is not set");
        }
        Box::pin(std::future::ready(()))
    }
}

impl Carrier {
    /// None when no mail server is configured.
    ///
    /// # Errors
    /// The mail server's settings cannot be used.
    pub fn new(mail: &Mail, outbox: Outbox) -> Result<Option<Self>, MailError> {
        if mail.smtp_host.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { outbox, transport: transport(mail)?, from: mail.from.parse::<Mailbox>()? }))
    }

    /// Sends what is due until `stop`, the letter at hand to its end.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.carry_one().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "waiting letters could not be read; it is tried again"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.outbox.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Whether there was a letter.
    async fn carry_one(&self) -> sqlx::Result<bool> {
        let Outbox { store, world, .. } = &self.outbox;
        let now_ms = world.now_ms();
        let Some(kept) = letter::take(store, now_ms, now_ms + LEASE_MS).await? else {
            letter::delete_ended(store, now_ms - KEPT_MS).await?;
            return Ok(false);
        };
        match self.deliver(&kept).await {
            Ok(()) => {
                metrics::counter!("bytespike_mails_sent_total").increment(1);
                letter::end(store, &kept.id, "sent", world.now_ms()).await?;
            }
            Err(failure) => self.fail(&kept, failure).await?,
        }
        Ok(true)
    }

    /// Neither address nor content is logged.
    async fn deliver(&self, kept: &letter::Letter) -> Result<(), Undelivered> {
        let letter =
            self.outbox.open(kept).ok_or(Undelivered::ForGood("it does not open with this master key"))?;
        let message = compose(&self.from, letter).map_err(Undelivered::ForGood)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Undelivered::ForGood("the mail server refused it")),
            Err(_) => Err(Undelivered::ForNow),
        }
    }

    async fn fail(&self, kept: &letter::Letter, failure: Undelivered) -> sqlx::Result<()> {
        let Outbox { store, world, .. } = &self.outbox;
        let tried = usize::try_from(kept.tries - 1).unwrap_or(usize::MAX);
        let reason = match (failure, RETRY_AFTER_MS.get(tried)) {
            (Undelivered::ForNow, Some(pause_ms)) => {
                tracing::warn!(
                    tries = kept.tries,
                    "the mail server did not take a letter; it is tried again"
                );
                return letter::postpone(store, &kept.id, world.now_ms() + pause_ms).await;
            }
            (Undelivered::ForNow, None) => "the mail server never took it",
            (Undelivered::ForGood(reason), _) => reason,
        };
        metrics::counter!("bytespike_mails_failed_total").increment(1);
        tracing::warn!(reason, "a letter was given up");
        letter::end(store, &kept.id, "failed", world.now_ms()).await
    }
}

/// Why a letter is still here.
enum Undelivered {
    ForNow,
    ForGood(&'static str),
}

/// A letter opens in its own row alone.
fn place(id: &str) -> Place<'_> {
    Place { table: "letter", row: id, column: "sealed" }
}

fn compose(from: &Mailbox, letter: Letter) -> Result<Message, &'static str> {
    let to = Mailbox::new(None, letter.to.parse().map_err(|_| "the reader's address is not one")?);
    let content = MultiPart::alternative_plain_html(letter.text, letter.html);
    let message = Message::builder().from(from.clone()).to(to).subject(letter.subject);
    message.multipart(content).map_err(|_| "its parts do not make a message")
}

fn transport(mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let host = mail.smtp_host.as_str();
    let tls = match mail.smtp_security {
        SmtpSecurity::None => Tls::None,
        SmtpSecurity::StartTls => Tls::Required(TlsParameters::new(host.to_owned())?),
        SmtpSecurity::Tls => Tls::Wrapper(TlsParameters::new(host.to_owned())?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(mail.smtp_port).tls(tls);
    let builder = builder.timeout(Some(Duration::from_secs(30)));
    let builder = match mail.smtp_password.reveal() {
        Some(password) => {
            builder.credentials(Credentials::new(mail.smtp_username.clone(), password.to_owned()))
        }
        None => builder,
    };
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytespike_accounts::secrets::{MasterKey, SealPurpose};
    use bytespike_store::on_database;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    /// Plays a mail server for one letter and returns what it was sent; the first try is turned away for now.
    async fn one_letter(listener: TcpListener) -> String {
        let (mut received, mut tries) = (String::new(), 0);
        while !received.contains("QUIT-AFTER-DATA") {
            let (stream, _) = listener.accept().await.unwrap();
            let mut lines = BufReader::new(stream);
            lines.get_mut().write_all(b"220 test\r\n").await.unwrap();
            tries += 1;
            let (mut in_data, mut line) = (false, String::new());
            while lines.read_line(&mut line).await.unwrap_or(0) > 0 {
                let answer = match line.trim_end() {
                    "." => {
                        received.push_str("QUIT-AFTER-DATA");
                        in_data = false;
                        "250 taken\r\n"
                    }
                    "DATA" => {
                        in_data = true;
                        "354 go on\r\n"
                    }
                    text if text.starts_with("MAIL") && tries == 1 => "451 not now\r\n",
                    text if text.starts_with("QUIT") => "221 bye\r\n",
                    _ if in_data => "",
                    _ => "250 fine\r\n",
                };
                received.push_str(&line);
                lines.get_mut().write_all(answer.as_bytes()).await.unwrap();
                line.clear();
            }
        }
        received
    }

    async fn store(folder: &tempfile::TempDir) -> Store {
        let store =
            Store::connect(&format!("sqlite:{}", folder.path().join("mail.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    fn outbox(store: &Store) -> Outbox {
        let master =
            MasterKey::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap() * 7 + 1)).unwrap();
        Outbox::new(store.clone(), World::system(), master.seal(SealPurpose::Letter))
    }

    #[tokio::test]
    async fn a_letter_survives_a_crash_sealed_and_arrives_after_the_server_said_not_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let letter = Letter {
            to: "reader@example.com".to_owned(),
            subject: "Confirm".to_owned(),
            text: "plain words".to_owned(),
            html: "<p>marked words</p>".to_owned(),
        };
        // The process that took the letter ends before it has sent anything.
        outbox(&store).send(Some(letter)).await;
        outbox(&store).send(None).await;
        let kept: Vec<String> = on_database!(read &store, db => sqlx::query_scalar(
            "select id || outbox_id || sealed from (select id, coalesce(outbox_id, '') as outbox_id, sealed from letter) l")
            .fetch_all(db).await)
        .unwrap();
        assert_eq!(kept.len(), 1, "nothing is kept of a letter that is not wanted");
        assert!(!kept[0].contains("reader@example.com") && !kept[0].contains("plain words"));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mail = Mail {
            smtp_host: "127.0.0.1".to_owned(),
            smtp_port: listener.local_addr().unwrap().port(),
            smtp_security: SmtpSecurity::None,
            smtp_username: String::new(),
            smtp_password: String::new().into(),
            from: "ByteSpike <no-reply@example.com>".to_owned(),
        };
        let server = tokio::spawn(one_letter(listener));
        let stop = CancellationToken::new();
        let carriers: Vec<_> = (0..2)
            .map(|_| tokio::spawn(Carrier::new(&mail, outbox(&store)).unwrap().unwrap().run(stop.clone())))
            .collect();
        let received = server.await.unwrap();
        for part in ["RCPT TO:<reader@example.com>", "Subject: Confirm", "plain words", "<p>marked words</p>"]
        {
            assert!(received.contains(part), "{part} is missing in {received}");
        }
        stop.cancel();
        for carrier in carriers {
            carrier.await.unwrap();
        }
        let (state, sealed): (String, String) = on_database!(read &store, db => sqlx::query_as(
            "select state, sealed from letter").fetch_one(db).await)
        .unwrap();
        assert_eq!((state.as_str(), sealed.as_str()), ("sent", ""), "what it said is forgotten");
    }

    #[test]
    fn s136_a_line_break_cannot_smuggle_a_header_or_a_reader() {
        let from: Mailbox = "a@example.com".parse().unwrap();
        let letter = |to: &str, subject: &str| Letter {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: String::new(),
            html: String::new(),
        };
        assert!(compose(&from, letter("a@example.com\r\nBcc: b@example.com", "x")).is_err());
        let message = compose(&from, letter("a@example.com", "x\r\nBcc: b@example.com")).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }
}
