//! Injected errors are noted when they strike, and only then.

use sim::{IncidentKind, World, fault};

#[test]
fn an_error_that_struck_is_an_incident_and_one_that_is_due_is_none() {
    let world = World::new(5);
    let node = world.node("n");
    let runtime = world.runtime(&node);
    fault::sync_error::next(&world, &node, 1);
    assert!(world.take_incidents().is_empty());
    world.block_on(async {
        let disk = runtime.disk;
        let segment = disk.create_segment("log", 4096).await.expect("there is room");
        segment.write_at(0, &[b"x"]).expect("it fits");
        segment.sync(0..1).await.expect_err("this one fails");
        segment.sync(0..1).await.expect("this one does not");
    });
    let incidents = world.take_incidents();
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!((incidents[0].kind, incidents[0].path.as_str()), (IncidentKind::Sync, "log"));
    assert!(world.take_incidents().is_empty());
}
