//! cargo sim: plan, run, observe, replay, report.

fn main() {}
