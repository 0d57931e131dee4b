//! Our own plain format, for every provider whose report has to be brought by hand: CSV with the columns `provider`,
//! `day` (UTC, `2026-11-24`), `amount_usd` (a decimal) and, if you like, `description`.

use bytespike_catalog::NanoUsd;
use bytespike_ledger::{CostLine, CostReport};
use serde::Deserialize;

use crate::Failure;

#[derive(Deserialize)]
struct Row {
    provider: String,
    day: String,
    amount_usd: String,
    #[serde(default)]
    description: String,
}

/// One report for each provider in the table.
pub fn parse(source: &str, text: &str) -> Result<Vec<CostReport>, Failure> {
    let mut reports: Vec<CostReport> = Vec::new();
    // The first line names the columns.
    for (line, row) in (2..).zip(csv::Reader::from_reader(text.as_bytes()).deserialize::<Row>()) {
        let row = row.map_err(|error| format!("line {line}: {error}"))?;
        let day = row
            .day
            .parse()
            .map_err(|_| format!("line {line}: day: `{}` is no day such as 2026-11-24", row.day))?;
        let amount = NanoUsd::from_usd(row.amount_usd.trim()).ok_or_else(|| {
            format!("line {line}: amount_usd: `{}` is no decimal of at most nine places", row.amount_usd)
        })?;
        let cost = CostLine { day, description: row.description, amount };
        match reports.iter_mut().find(|report| report.provider == row.provider) {
            Some(report) => report.lines.push(cost),
            None => reports.push(CostReport {
                provider: row.provider,
                source: source.to_owned(),
                lines: vec![cost],
            }),
        }
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_gathered_by_provider_and_faults_named_by_line() {
        let text = "provider,day,amount_usd,description\nlocal,2026-11-24,1.25,power\nother,2026-11-24,0.5,\nlocal,2026-11-25,-0.000000001,\"a, b\"\n";
        let reports = parse("f.csv", text).unwrap();
        assert_eq!(reports.len(), 2);
        let local: Vec<i64> = reports[0].lines.iter().map(|line| line.amount.0).collect();
        assert_eq!((reports[0].provider.as_str(), local), ("local", vec![1_250_000_000, -1]));
        assert_eq!(reports[0].lines[1].description, "a, b");
        for (bad, wanted) in [
            ("provider,day,amount_usd\nlocal,yesterday,1\n", "line 2: day"),
            ("provider,day,amount_usd\nlocal,2026-11-24,1\nlocal,2026-11-24,one\n", "line 3: amount_usd"),
            ("provider,day\nlocal,2026-11-24\n", "amount_usd"),
        ] {
            let error = parse("f.csv", bad).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
