//! Models, price components, the price book and the signed price export. Pure: no I/O, no clock.
mod basis;
pub mod book;
mod calendar;
pub mod charge;
pub mod decimal;
pub mod display;
pub mod estimate;
pub mod export;
pub mod extra;
pub mod fx;
pub mod hold;
pub mod load;
pub mod model;
pub mod money;
pub mod price;
pub mod usage;

pub use book::{BookOptions, Markup, PriceBook, PricedModel, Unavailable};
pub use charge::{Charge, Line, PriceError, Served, charge};
pub use export::{PriceExport, SignedExport};
pub use hold::{Bounds, hold_bound};
pub use load::Catalog;
pub use money::{NanoUsd, PicoUsd};
pub use price::Component;
pub use usage::Usage;
