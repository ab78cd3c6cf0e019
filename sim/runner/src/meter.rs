//! What a run costs: CPU of a child, its memory, and how fast this machine is right now.
//!
//! Read from `/proc`; where there is none, nothing is known and nothing is said.

use std::hint::black_box;

/// Steps of the calibration loop: some 50 ms of a processor of 2024.
const CALIBRATION_STEPS: u64 = 40_000_000;

/// The CPU time in ns that the first thread of a process of ours has used so far, also after its
/// end as long as nobody waited for it.
pub(crate) fn cpu_ns_of(pid: u32) -> Option<u64> {
    cpu_ns(&format!("/proc/{pid}/schedstat"))
}

/// The CPU time in ns that this thread has used so far.
pub(crate) fn cpu_ns_of_this_thread() -> Option<u64> {
    cpu_ns("/proc/thread-self/schedstat")
}

/// The most memory that this process ever held, in KiB.
pub(crate) fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The CPU time in ns that a fixed loop takes on this machine now. A mean CPU per seed means little
/// by itself, because machines differ; as a multiple of this it can be compared.
pub(crate) fn calibrate_ns() -> Option<u64> {
    let before = cpu_ns_of_this_thread()?;
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    let mut table = vec![0_u64; 1 << 15];
    for step in 0..CALIBRATION_STEPS {
        // A multiplication that waits for the one before, and a look into memory now and then.
        word = (word ^ step).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(29);
        if step % 8 == 0 {
            let at = (word >> 49) as usize;
            table[at] = table[at].wrapping_add(word);
        }
    }
    black_box((word, &table));
    Some(cpu_ns_of_this_thread()?.saturating_sub(before))
}

/// The first number of a `schedstat`: ns on a processor.
fn cpu_ns(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_takes_time_and_a_process_holds_memory() {
        // Without /proc nothing is known, which is no failure.
        assert_ne!(calibrate_ns(), Some(0));
        assert_ne!(peak_kib(), Some(0));
        assert_ne!(cpu_ns_of(std::process::id()), Some(0));
    }
}
