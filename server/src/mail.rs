//! Sends mail over SMTP. Letters wait in memory, not in the database: they carry one-time links, which are nowhere
//! stored in the clear. A letter lost to a crash is asked for again by the reader.

use std::time::Duration;

use bytespike_console::{Letter, Mailer};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{Mail, SmtpSecurity};

/// Letters that may wait; more are refused.
const QUEUE_LENGTH: usize = 1000;
/// Waits between the tries of one letter.
const RETRY_AFTER: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];

/// Takes letters; a worker sends them.
#[derive(Clone)]
pub struct Outbox(mpsc::Sender<Letter>);

/// Why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("mail.smtp_host: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("mail.from: {0}")]
    From(#[from] lettre::address::AddressError),
}

impl Outbox {
    /// Starts the worker, which ends when the last `Outbox` is gone and everything is sent or given up.
    /// None when no mail server is configured.
    ///
    /// # Errors
    /// The mail server's settings cannot be used.
    pub fn start(mail: &Mail) -> Result<Option<(Self, JoinHandle<()>)>, MailError> {
        if mail.smtp_host.is_empty() {
            return Ok(None);
        }
        let (transport, from) = (transport(mail)?, mail.from.parse::<Mailbox>()?);
        let (sender, mut letters) = mpsc::channel::<Letter>(QUEUE_LENGTH);
        let worker = tokio::spawn(async move {
            while let Some(letter) = letters.recv().await {
                deliver(&transport, &from, letter).await;
            }
        });
        Ok(Some((Self(sender), worker)))
    }
}

impl Mailer for Outbox {
    fn send(&self, letter: Letter) {
        if self.0.try_send(letter).is_err() {
            metrics::counter!("bytespike_mails_failed_total").increment(1);
            tracing::warn!("too much mail is waiting; a letter was dropped");
        }
    }
}

/// Where no mail server is configured and strangers can connect: letters carry links that only their reader may see.
pub struct NoMail;

impl Mailer for NoMail {
    fn send(&self, _letter: Letter) {
        tracing::warn!("a letter was not sent: mail.smtp_host is not set");
    }
}

/// Tries until it is sent, refused for good, or given up. Neither address nor content is logged.
async fn deliver(transport: &AsyncSmtpTransport<Tokio1Executor>, from: &Mailbox, letter: Letter) {
    let message = match compose(from, letter) {
        Ok(message) => message,
        Err(problem) => return tracing::warn!(problem, "a letter could not be written"),
    };
    for pause in RETRY_AFTER.into_iter().map(Some).chain([None]) {
        let Err(error) = transport.send(message.clone()).await else {
            metrics::counter!("bytespike_mails_sent_total").increment(1);
            return;
        };
        let retry = pause.filter(|_| !error.is_permanent());
        tracing::warn!(
            permanent = error.is_permanent(),
            retry = retry.is_some(),
            "the mail server did not take a letter"
        );
        match retry {
            Some(pause) => tokio::time::sleep(pause).await,
            None => break,
        }
    }
    metrics::counter!("bytespike_mails_failed_total").increment(1);
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

    #[tokio::test]
    async fn a_letter_arrives_with_both_its_forms_after_the_server_said_not_now() {
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
        let (outbox, worker) = Outbox::start(&mail).unwrap().unwrap();
        let letter = Letter {
            to: "reader@example.com".to_owned(),
            subject: "Confirm".to_owned(),
            text: "plain words".to_owned(),
            html: "<p>marked words</p>".to_owned(),
        };
        outbox.send(letter);
        drop(outbox);
        worker.await.unwrap();
        let received = server.await.unwrap();
        for part in ["RCPT TO:<reader@example.com>", "Subject: Confirm", "plain words", "<p>marked words</p>"]
        {
            assert!(received.contains(part), "{part} is missing in {received}");
        }
    }

    #[test]
    fn a_line_break_cannot_smuggle_a_header_or_a_reader() {
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
