//! Credit in the order it burns: by priority, then what lapses first, then the oldest. A hold pins what it may use, so
//! that a lot lapsing in mid-call cannot make the settlement fail.
use crate::journal::{Account, LotMove};
use crate::kept::Kept;
use crate::rows::{LotRow, PinRow};

/// Given credit burns before paid credit.
pub(crate) const BONUS_PRIORITY: i64 = 10;
pub(crate) const PRINCIPAL_PRIORITY: i64 = 20;

pub(crate) fn sort(lots: &mut [Kept<LotRow>]) {
    lots.sort_by(|a, b| order(a).cmp(&order(b)));
}

fn order(lot: &LotRow) -> (i64, i64, i64, &str) {
    (lot.priority, lot.expires_at_ms.unwrap_or(i64::MAX), lot.created_at_ms, &lot.id)
}

/// Sets `amount` aside in sorted lots. The caller has checked that the wallet has it.
pub(crate) fn pin(lots: &mut [Kept<LotRow>], reservation_id: &str, amount_nano: i64) -> Vec<PinRow> {
    let mut left = amount_nano;
    let mut pins = Vec::new();
    for lot in lots {
        let taken = left.min(lot.remaining_nano - lot.pinned_nano);
        if taken > 0 {
            lot.change().pinned_nano += taken;
            left -= taken;
            pins.push(PinRow {
                reservation_id: reservation_id.to_owned(),
                lot_id: lot.id.clone(),
                pinned_nano: taken,
            });
        }
    }
    pins
}

/// Unpins everything and takes `charge` out of what was pinned, in burn order.
pub(crate) fn consume(lots: &mut [Kept<LotRow>], pins: &[PinRow], charge_nano: i64) -> Vec<LotMove> {
    let mut left = charge_nano;
    let mut moves = Vec::new();
    for lot in lots {
        let Some(pin) = pins.iter().find(|pin| pin.lot_id == lot.id) else { continue };
        let taken = left.min(pin.pinned_nano);
        let row = lot.change();
        row.pinned_nano -= pin.pinned_nano;
        row.remaining_nano -= taken;
        left -= taken;
        if taken > 0 {
            let account = Account::of_lot(&lot.kind);
            moves.push(LotMove { lot_id: lot.id.clone(), account, amount_nano: -taken });
        }
    }
    moves
}

/// What no call holds of this account.
pub(crate) fn free(lots: &[Kept<LotRow>], account: Account) -> i64 {
    let of_account = lots.iter().filter(|lot| Account::of_lot(&lot.kind) == account);
    of_account.map(|lot| lot.remaining_nano - lot.pinned_nano).sum()
}

/// Takes at most so much out of what is free on this account.
pub(crate) fn take_free(lots: &mut [Kept<LotRow>], account: Account, at_most_nano: i64) -> Vec<LotMove> {
    let mut left = at_most_nano;
    let mut moves = Vec::new();
    for lot in lots.iter_mut().filter(|lot| Account::of_lot(&lot.kind) == account) {
        let unpinned = lot.remaining_nano - lot.pinned_nano;
        let taken = left.min(unpinned);
        if taken > 0 {
            lot.change().remaining_nano -= taken;
            left -= taken;
            moves.push(LotMove { lot_id: lot.id.clone(), account, amount_nano: -taken });
        }
    }
    moves
}

/// Takes out what has lapsed and is not pinned.
pub(crate) fn lapse(lots: &mut [Kept<LotRow>], now_ms: i64) -> Vec<LotMove> {
    let mut moves = Vec::new();
    for lot in lots {
        let free = lot.remaining_nano - lot.pinned_nano;
        if free > 0 && lot.expires_at_ms.is_some_and(|expires| expires <= now_ms) {
            lot.change().remaining_nano -= free;
            let account = Account::of_lot(&lot.kind);
            moves.push(LotMove { lot_id: lot.id.clone(), account, amount_nano: -free });
        }
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(id: &str, priority: i64, remaining_nano: i64, expires_at_ms: Option<i64>) -> Kept<LotRow> {
        Kept::loaded(LotRow {
            id: id.to_owned(),
            org_id: "o".to_owned(),
            kind: if priority == BONUS_PRIORITY { "bonus" } else { "principal" }.to_owned(),
            granted_nano: remaining_nano,
            remaining_nano,
            pinned_nano: 0,
            priority,
            expires_at_ms,
            created_at_ms: 0,
        })
    }

    #[test]
    fn bonus_burns_before_paid_and_what_lapses_first_before_what_stays() {
        let mut lots =
            vec![lot("paid", 20, 100, None), lot("late", 10, 100, Some(9)), lot("soon", 10, 100, Some(5))];
        sort(&mut lots);
        let pins = pin(&mut lots, "r", 250);
        let pinned: Vec<(&str, i64)> =
            pins.iter().map(|pin| (pin.lot_id.as_str(), pin.pinned_nano)).collect();
        assert_eq!(pinned, [("soon", 100), ("late", 100), ("paid", 50)]);
        let moves = consume(&mut lots, &pins, 150);
        let moved: Vec<(&str, i64)> = moves.iter().map(|m| (m.lot_id.as_str(), m.amount_nano)).collect();
        assert_eq!(moved, [("soon", -100), ("late", -50)]);
        assert!(lots.iter().all(|lot| lot.pinned_nano == 0));
    }

    #[test]
    fn what_is_pinned_outlives_its_expiry() {
        let mut lots = vec![lot("soon", 10, 100, Some(5))];
        let pins = pin(&mut lots, "r", 60);
        assert_eq!(lapse(&mut lots, 4), []);
        assert_eq!(lapse(&mut lots, 5).iter().map(|m| m.amount_nano).sum::<i64>(), -40);
        assert_eq!(consume(&mut lots, &pins, 50).iter().map(|m| m.amount_nano).sum::<i64>(), -50);
        assert_eq!(lapse(&mut lots, 5).iter().map(|m| m.amount_nano).sum::<i64>(), -10);
        assert_eq!(lots[0].remaining_nano, 0);
    }
}
