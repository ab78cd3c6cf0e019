//! The production twin keeps every promise of the doors.

#![expect(clippy::disallowed_methods, reason = "the test prepares a directory of its own")]

use runtime_tokio::TokioRuntime;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_keeps_the_promises_of_the_doors() {
    let root = tempfile::tempdir().unwrap();
    let runtime = TokioRuntime::open(root.path()).unwrap();
    runtime::testing::suite(&runtime).await;
}

#[tokio::test]
async fn one_thread_is_enough_to_keep_them() {
    let root = tempfile::tempdir().unwrap();
    let runtime = TokioRuntime::open(root.path()).unwrap();
    runtime::testing::suite(&runtime).await;
}

#[tokio::test]
async fn a_task_that_panics_ends_alone() {
    let root = tempfile::tempdir().unwrap();
    let runtime = TokioRuntime::open(root.path()).unwrap();
    let task = runtime.tasks.spawn("breaks", async { panic!("on purpose") });
    task.join().await;
    let after = runtime.tasks.spawn("goes on", async {});
    after.join().await;
    assert!(task.is_done() && after.is_done());
}

#[tokio::test]
async fn a_root_that_is_a_file_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a-file");
    std::fs::write(&path, "x").unwrap();
    let error = TokioRuntime::open(&path.join("below")).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("a-file"), "{error}");
}

#[tokio::test]
async fn memory_that_is_pinned_stays_or_the_system_says_why_not() {
    let root = tempfile::tempdir().unwrap();
    let runtime = TokioRuntime::open(root.path()).unwrap();
    let bytes = vec![7; 64 << 10];
    match runtime.disk.pin_memory(&bytes) {
        Ok(()) => {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
            let kib: u64 = locked.trim().trim_end_matches(" kB").parse().unwrap();
            assert!(kib >= 64, "{locked}");
        }
        Err(error) => assert!(error.raw_os_error().is_some(), "{error}"),
    }
    assert!(bytes.iter().all(|byte| *byte == 7));
}
