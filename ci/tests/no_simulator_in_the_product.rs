//! The `hotfire` binary holds nothing of the simulator.

#![expect(clippy::disallowed_methods, reason = "it reads the binaries that it built")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a binary of this workspace into the target directory of this very test run.
fn built(package: &str, binary: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci/ has a parent");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--bin", binary])
        .current_dir(root)
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "{package} does not build");
    let profile_dir: PathBuf = std::env::current_exe()
        .expect("a test has a path")
        .ancestors()
        .nth(2)
        .expect("tests lie in target/debug/deps")
        .to_owned();
    std::fs::read(profile_dir.join(binary)).expect("the binary was built")
}

fn mentions(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_product_links_no_madsim_symbol() {
    assert!(!mentions(&built("hotfire", "hotfire"), b"madsim"));
}

#[test]
fn the_check_finds_madsim_where_it_is() {
    assert!(mentions(&built("sim-runner", "sim-runner"), b"madsim"));
}
