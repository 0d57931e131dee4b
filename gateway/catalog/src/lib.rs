//! Models, price components, the price book and the signed price export. Pure.
