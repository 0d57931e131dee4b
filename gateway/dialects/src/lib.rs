//! The wire formats: bytes in, values out. No I/O, no clock.
