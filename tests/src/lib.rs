//! Black-box tests: real HTTP, real databases, a real browser. Shared helpers live here.
