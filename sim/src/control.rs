//! What can be done to the nodes of a world, from anywhere in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use madsim::runtime::{Handle, NodeHandle};
use runtime::{Boxed, Clock, Disk, Net, Runtime, Tasks};

use crate::census::Census;
use crate::clock::NodeClock;
use crate::disk::{Crashes, DiskImages, NodeDisk, SimDisk, Wreck};
use crate::ground::Ground;
use crate::incident::Incident;
use crate::net::{Hub, NetShape, SimNet};
use crate::node::Node;
use crate::removal::Removal;
use crate::task::{FailureSlot, SimTasks, Spawner};
use crate::trace::{Aspect, Event, Trace};

/// The controls of a world: its nodes' lives, its time, its trace. Clones control the same world
/// and may be moved into tasks.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

struct Shared {
    ground: Ground,
    madsim: Handle,
    hub: Hub,
    spawner: Spawner,
    /// The true wall clock at the world's beginning, in ms since the Unix epoch.
    epoch_ms: u64,
    machines: Mutex<BTreeMap<u32, Machine>>,
}

/// What belongs to a node besides its name.
struct Machine {
    node: Node,
    disk: NodeDisk,
    clock: NodeClock,
    /// The process that runs now, or ran last.
    process: NodeHandle,
    incarnation: u64,
    life: Life,
}

/// What state a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Its process runs.
    Running,
    /// Its process stands still and its kernel goes on.
    Paused,
    /// Its process is dead, its machine is not.
    Dead,
    /// Its machine has no power.
    Dark,
}

impl Control {
    pub(crate) fn new(ground: Ground, madsim: Handle, failure: FailureSlot) -> Self {
        // 2026-01-01, and up to a year more.
        let epoch_ms = 1_767_225_600_000 + ground.stream("epoch").below(365 * 24 * 3_600_000);
        let hub = Hub::new(ground.clone());
        let machines = Mutex::default();
        let spawner = Spawner {
            ground: ground.clone(),
            madsim: madsim.clone(),
            failure,
            census: Census::default(),
        };
        Self(Arc::new(Shared { ground, madsim, hub, spawner, epoch_ms, machines }))
    }

    /// The node of that name, made and started if there is none yet.
    pub fn node(&self, name: &str) -> Node {
        if let Some(node) = self.find(name) {
            return node;
        }
        let index = self.machines().len() as u32 + 1;
        let node = Node::new(index, name);
        let process = self.0.madsim.create_node().name(name).ip(node.ip()).build();
        self.0.hub.add(&node);
        let ground = self.0.ground.clone();
        let machine = Machine {
            node: node.clone(),
            disk: NodeDisk::new(ground.clone(), node.clone()),
            clock: NodeClock::new(ground, self.0.epoch_ms),
            process,
            incarnation: 1,
            life: Life::Running,
        };
        self.machines().insert(index, machine);
        self.record(&node, "node");
        node
    }

    /// The node of that name, if it was made.
    pub fn find(&self, name: &str) -> Option<Node> {
        let machines = self.machines();
        machines.values().map(|machine| &machine.node).find(|node| node.name() == name).cloned()
    }

    /// All nodes, in the order of their making.
    pub fn nodes(&self) -> Vec<Node> {
        self.machines().values().map(|machine| machine.node.clone()).collect()
    }

    /// The doors of the process that runs on the node now. They do not outlive it: after a kill
    /// each gives errors.
    pub fn runtime(&self, node: &Node) -> Runtime {
        self.with(node, |machine| {
            let ground = &self.0.ground;
            let product = ground.stream(&format!("product/{node}/{}", machine.incarnation));
            // The origin of a monotonic clock means nothing to another process.
            let shows = Duration::from_secs(product.stream("origin").below(100_000));
            Runtime {
                clock: Clock::new(machine.clock.incarnation(shows)),
                disk: Disk::new(SimDisk::new(machine.disk.clone())),
                net: Net::new(SimNet::new(self.0.hub.clone(), node.clone())),
                rng: product,
                tasks: Tasks::new(SimTasks {
                    node: node.clone(),
                    process: machine.process.clone(),
                    lives: self.liveness(machine),
                    spawner: self.0.spawner.clone(),
                }),
            }
        })
    }

    /// Tells whether the process that runs on the machine now still does. It takes no lock of this
    /// world's nodes: tasks are dropped, and may start others, while they are held.
    fn liveness(&self, machine: &Machine) -> Box<dyn Fn() -> bool + Send + Sync> {
        let (disk, epoch) = (machine.disk.clone(), machine.disk.epoch());
        Box::new(move || disk.epoch() == epoch)
    }

    /// The living tasks of all nodes: node, name and how many of that name. For reports.
    pub fn tasks(&self) -> Vec<(Node, &'static str, u64)> {
        self.0.spawner.census.alive()
    }

    /// Runs the future on the node and gives its output; `None` when the node dies first.
    pub async fn on<T: Send + 'static>(
        &self,
        node: &Node,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.start(node, future).await.ok()
    }

    /// Starts the future on the node without waiting for it.
    pub fn spawn_on(&self, node: &Node, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.start(node, future));
    }

    fn start<T: Send + 'static>(
        &self,
        node: &Node,
        future: impl Future<Output = T> + Send + 'static,
    ) -> madsim::task::JoinHandle<T> {
        let process = self.with(node, |machine| machine.process.clone());
        let task: Boxed<'static, T> = Box::pin(future);
        self.0.spawner.spawn(&process, node, "spawn_on", task)
    }

    /// What state the node is in.
    pub fn life(&self, node: &Node) -> Life {
        self.with(node, |machine| machine.life)
    }

    /// How often the node's process has been started, from 1.
    pub fn incarnation(&self, node: &Node) -> u64 {
        self.with(node, |machine| machine.incarnation)
    }

    /// Kills the process: its tasks are dropped, its handles fenced, its locks given back, its
    /// connections closed by the kernel. What it wrote stands in the page cache and survives.
    /// Nothing happens to a node that is dead already.
    pub fn kill(&self, node: &Node) {
        self.end(node, Life::Dead);
    }

    /// Takes the power: as [`Control::kill`], but what was not synced is lost, kept or torn, and
    /// the peers see silence. A dead machine can still lose its power.
    pub fn power_fail(&self, node: &Node) {
        self.end(node, Life::Dark);
    }

    fn end(&self, node: &Node, life: Life) {
        let (before, disk) = self.with(node, |machine| (machine.life, machine.disk.clone()));
        if before == Life::Dark || before == life {
            return;
        }
        self.record(node, if life == Life::Dark { "power-off" } else { "kill" });
        self.with(node, |machine| machine.life = life);
        disk.fence();
        self.0.hub.crash(node, life == Life::Dark);
        if life == Life::Dark {
            disk.power_fail();
        }
        // Last, with no lock held: what the process drops now finds its handles fenced.
        self.0.madsim.kill(self.madsim_id(node));
    }

    /// Starts a new process on the node, after a [`Control::kill`] if it is alive. It runs nothing
    /// until something is spawned on it.
    pub fn restart(&self, node: &Node) {
        if matches!(self.life(node), Life::Running | Life::Paused) {
            self.kill(node);
        }
        let id = self.madsim_id(node);
        self.0.madsim.restart(id);
        let process = self.0.madsim.get_node(id).expect("a node is never removed");
        self.with(node, |machine| {
            machine.process = process;
            machine.incarnation += 1;
            machine.life = Life::Running;
        });
        self.0.hub.light(node);
        self.record(node, "restart");
    }

    /// Stops the process where it stands, as SIGSTOP does; its kernel goes on.
    pub fn pause(&self, node: &Node) {
        if self.life(node) == Life::Running {
            self.with(node, |machine| machine.life = Life::Paused);
            self.0.madsim.pause(self.madsim_id(node));
            self.record(node, "pause");
        }
    }

    /// Lets a paused process go on.
    pub fn resume(&self, node: &Node) {
        if self.life(node) == Life::Paused {
            self.with(node, |machine| machine.life = Life::Running);
            self.0.madsim.resume(self.madsim_id(node));
            self.record(node, "resume");
        }
    }

    /// Every file of the node, as its page cache shows it and as its device surely holds it.
    /// Draws nothing and changes nothing.
    pub fn disk_image(&self, node: &Node) -> DiskImages {
        self.disk(node).images()
    }

    /// Notes the state of the node's disk after each of its operations from now on.
    pub fn record_crashes(&self, node: &Node) {
        self.disk(node).record_crashes();
    }

    /// How many operations were recorded so far; 0 when the disk is not recorded.
    pub fn recorded_operations(&self, node: &Node) -> usize {
        self.disk(node).recorded_operations()
    }

    /// Ends [`Control::record_crashes`] and gives every crash that there might have been.
    pub fn recorded_crashes(&self, node: &Node) -> Crashes {
        Crashes::new(self.disk(node).recorded_crashes())
    }

    /// Starts a new process on the node, as [`Control::restart`], on a disk that holds what a crash
    /// of this or another node left, and nothing else.
    pub fn restart_on(&self, node: &Node, wreck: &Wreck) {
        if matches!(self.life(node), Life::Running | Life::Paused) {
            self.kill(node);
        }
        self.disk(node).lay(wreck);
        self.restart(node);
    }

    /// Puts a file on the node's disk, durably, as if somebody else had left it there. Draws
    /// nothing.
    ///
    /// # Errors
    /// `InvalidInput`: the path does not lie below the root.
    pub fn lay_file(&self, node: &Node, path: &str, bytes: &[u8]) -> std::io::Result<()> {
        self.disk(node).lay_file(path, bytes)
    }

    /// Returns when so many more operations that are awaited have begun on the node's disk.
    pub async fn disk_operations(&self, node: &Node, count: u64) {
        self.disk(node).after_operations(count).await;
    }

    /// The true wall clock, in milliseconds since the Unix epoch: what a clock without fault shows.
    pub fn now_true_ms(&self) -> u64 {
        self.0.epoch_ms + self.0.ground.now().as_millis() as u64
    }

    /// True time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.0.ground.now()
    }

    /// Waits so long in true time; for those who drive a world, not for the product.
    pub async fn sleep(&self, duration: Duration) {
        self.0.ground.after(duration).await;
    }

    /// The trace.
    pub fn trace(&self) -> &Trace {
        &self.0.ground.trace
    }

    /// Tells whoever listens to the trace, and nobody else, what somebody who watches the world has
    /// to say of a node, or of the world when there is no node of that name. The hash stays.
    pub fn note(
        &self,
        about: &str,
        what: &'static str,
        numbers: [u64; 2],
        detail: std::fmt::Arguments<'_>,
    ) {
        let trace = self.trace();
        if trace.is_watched() {
            let (node, aspect) = (self.find(about), Aspect::Note);
            let event = Event { what, numbers, detail, aspect };
            trace.note(self.elapsed(), node.as_ref(), event);
        }
    }

    /// Takes the injected errors that really happened since the last time, oldest first.
    pub fn take_incidents(&self) -> Vec<Incident> {
        self.0.ground.incidents.take()
    }

    /// Takes the files that programs removed since the last time, oldest first.
    pub fn take_removals(&self) -> Vec<Removal> {
        self.0.ground.removals.take()
    }

    /// The stream of randomness of that name, for workloads and fault plans.
    pub fn stream(&self, name: &str) -> runtime::Rng {
        self.0.ground.stream(name)
    }

    /// Changes how the network behaves on every link from now on.
    pub fn shape_net(&self, turn: impl FnOnce(&mut NetShape)) {
        self.0.hub.reshape(turn);
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn ground(&self) -> &Ground {
        &self.0.ground
    }

    pub(crate) fn disk(&self, node: &Node) -> NodeDisk {
        self.with(node, |machine| machine.disk.clone())
    }

    pub(crate) fn clock(&self, node: &Node) -> NodeClock {
        self.with(node, |machine| machine.clock.clone())
    }

    fn madsim_id(&self, node: &Node) -> madsim::task::NodeId {
        self.with(node, |machine| machine.process.id())
    }

    fn record(&self, node: &Node, what: &'static str) {
        self.0.ground.record(node, what, [0, 0], format_args!(""));
    }

    fn with<T>(&self, node: &Node, act: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machines = self.machines();
        act(machines.get_mut(&node.index()).expect("a node of this world"))
    }

    fn machines(&self) -> MutexGuard<'_, BTreeMap<u32, Machine>> {
        self.0.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
