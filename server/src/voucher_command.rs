//! `bytespike voucher`: makes, lists and ends codes that give credit to whoever redeems them.

use bytespike_accounts::Origin;
use bytespike_accounts::audit::Actor;
use bytespike_accounts::vouchers::{Batch, Made, NewBatch, NewVoucher, Voucher};
use bytespike_accounts::waiting_credits::WaitingCreditRow;
use bytespike_catalog::NanoUsd;

use crate::Failure;
use crate::config::Config;
use crate::core::Core;
use crate::told::{note, say};

const DAY_MS: i64 = 86_400_000;
const MOST_LISTED: u32 = 1_000;

#[derive(clap::Subcommand)]
pub enum VoucherCommand {
    /// Make a voucher and print its code, this once.
    Create(Wanted),
    /// Make as many vouchers as wanted, and print their codes, this once, one a line.
    Batch {
        #[command(flatten)]
        each: Wanted,
        /// How many codes.
        #[arg(long)]
        codes: i64,
        /// How many of the codes one organisation may redeem.
        #[arg(long, default_value_t = 1)]
        per_org: i64,
    },
    /// List batches, the newest first, without their codes.
    Batches,
    /// End a batch: nobody redeems any of its codes. Credit that they gave stays.
    EndBatch {
        /// Its id, as `batches` prints it.
        id: String,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
    },
    /// List vouchers, the newest first, without their codes.
    List {
        /// The last id of the page before.
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_LISTED)))]
        limit: u32,
    },
    /// End a voucher: nobody redeems it any more. Credit that it gave stays.
    End {
        /// Its id, as `list` prints it.
        id: String,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// What a voucher is to be.
#[derive(clap::Args)]
pub struct Wanted {
    /// What it gives, in credits (1 USD = 1,000,000), such as 5000000.
    credits: String,
    /// What it is for. Who redeems it sees this.
    #[arg(long)]
    note: String,
    /// How many organisations may redeem it, each once.
    #[arg(long, default_value_t = 1)]
    uses: i64,
    /// For how many days it can be redeemed; without it, until it is ended.
    #[arg(long, value_name = "DAYS")]
    days: Option<u16>,
    /// How many days its credit lasts once it is redeemed; without it, for ever.
    #[arg(long, value_name = "DAYS")]
    credit_days: Option<u16>,
}

/// # Errors
/// The database cannot be reached, something about the voucher is not possible, or there is none that could be ended.
pub async fn run(config: &Config, command: VoucherCommand) -> Result<(), Failure> {
    let core = Core::of_command(config).await?;
    let done = obey(&core, command).await;
    core.store.close().await;
    done
}

async fn obey(core: &Core, command: VoucherCommand) -> Result<(), Failure> {
    let (vouchers, origin) = (&core.accounts.vouchers, Origin::host());
    match command {
        VoucherCommand::Create(wanted) => create(core, &wanted).await?,
        VoucherCommand::List { after, limit } => {
            for voucher in vouchers.page(after.as_deref(), limit).await? {
                say(&listed(&voucher, core.world.now_ms()));
            }
        }
        VoucherCommand::Batch { each, codes, per_org } => create_batch(core, &each, (codes, per_org)).await?,
        VoucherCommand::Batches => {
            for batch in vouchers.batches(None, MOST_LISTED).await? {
                say(&listed_batch(&batch));
            }
        }
        VoucherCommand::EndBatch { id, reason } => {
            if !vouchers.end_batch((&origin, Actor::Host), &id, reason.as_deref()).await? {
                return Err(format!("there is no batch {id} that could be ended").into());
            }
            note("Ended.");
        }
        VoucherCommand::End { id, reason } => {
            if !vouchers.end((&origin, Actor::Host), &id, reason.as_deref()).await? {
                return Err(format!("there is no voucher {id} that could be ended").into());
            }
            note("Ended.");
        }
    }
    Ok(())
}

async fn create(core: &Core, wanted: &Wanted) -> Result<(), Failure> {
    let new = read(core, wanted)?;
    let made = core.accounts.vouchers.create((&Origin::host(), Actor::Host), &new).await?;
    let (voucher, code) = match made {
        Made::Now(made) => made,
        Made::Waits(row) => {
            waits(core, &row);
            return Ok(());
        }
    };
    say(code.expose());
    note(&format!(
        "Voucher {} is shown this once. Whoever has its code can redeem it in the console, under Wallet.",
        voucher.id
    ));
    Ok(())
}

/// What each voucher is to be.
fn read<'a>(core: &Core, wanted: &'a Wanted) -> Result<NewVoucher<'a>, Failure> {
    let amount = NanoUsd::from_credits(&wanted.credits)
        .ok_or("credits: a decimal with at most three places is wanted, such as 5000000")?;
    let lasts_ms = |days: u16| i64::from(days) * DAY_MS;
    Ok(NewVoucher {
        amount_nano: amount.0,
        uses: wanted.uses,
        expires_at_ms: wanted.days.map(|days| core.world.now_ms().saturating_add(lasts_ms(days))),
        credit_lasts_ms: wanted.credit_days.map(lasts_ms).filter(|ms| *ms > 0),
        note: &wanted.note,
    })
}

async fn create_batch(core: &Core, each: &Wanted, (codes, per_org): (i64, i64)) -> Result<(), Failure> {
    let new = NewBatch { each: read(core, each)?, codes, per_org };
    let by = (&Origin::host(), Actor::Host);
    let made = core.accounts.vouchers.create_batch(by, &new).await?;
    let (batch, codes) = match made {
        Made::Now(made) => made,
        Made::Waits(row) => {
            waits(core, &row);
            return Ok(());
        }
    };
    for code in &codes {
        say(code.expose());
    }
    note(&format!("The codes of batch {} are shown this once.", batch.id));
    Ok(())
}

/// Together they are worth more than is given without a second person, who is an operator at their pages.
fn waits(core: &Core, row: &WaitingCreditRow) {
    let above = core.accounts.waiting_credits.above_nano().unwrap_or_default();
    note(&format!(
        "Worth ${} in all, above the ${} of operators.second_above_usd: {} waits for an operator, who confirms it at \
         /admin/credits and is given the codes there.",
        NanoUsd(row.amount_nano).usd(),
        NanoUsd(above).usd(),
        row.id,
    ));
}

fn listed_batch(batch: &Batch) -> String {
    let state = if batch.ended_at_ms.is_some() { "ended" } else { "open" };
    let (amount, uses) = (NanoUsd(batch.amount_nano).credits(), batch.codes.saturating_mul(batch.uses));
    format!("{}  {state:<8} {amount} credits  {} of {uses} used  {}", batch.id, batch.used, batch.note)
}

fn listed(voucher: &Voucher, now_ms: i64) -> String {
    let state = voucher.state(now_ms).as_str();
    let amount = NanoUsd(voucher.amount_nano).credits();
    let (used, uses) = (voucher.used, voucher.uses);
    format!(
        "{}  {}  {state:<8} {amount} credits  {used} of {uses} used  {}",
        voucher.id, voucher.hint, voucher.note
    )
}
