//! The database, its migrations, and the clock and randomness that everything is given.
