//! Directs a run: starts servers and clients, strikes, undoes, heals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use invariants::ledger::Fault;
use runtime::Rng;
use runtime::sync::{Either, Stop, race};
use sim::{Control, Life, Node};
use sim_capsule::{CutOff, Strike};
use tokio::sync::mpsc;
use workloads::scenario::NemesisKind;
use workloads::{Recorder, Stage, Workload};

use super::observer::Observer;
use super::servers::{self, DOWN, News, Server};
use super::{class, strike};

/// A client of a workload and the node it lives on.
pub(crate) struct Client {
    /// Its name.
    pub(crate) name: String,
    /// The node.
    pub(crate) node: Node,
    /// Its workload.
    pub(crate) workload: Arc<dyn Workload>,
    /// Its index there.
    pub(crate) index: usize,
}

/// What comes next.
enum Step {
    Strike(Strike),
    Undo(Strike),
    Start(Node),
}

/// Everything that a run needs besides its phases.
pub(crate) struct Director {
    pub(crate) control: Control,
    pub(crate) observer: Observer,
    pub(crate) recorder: Recorder,
    pub(crate) namesrv: Vec<String>,
    /// Raised when nothing new shall be sent.
    pub(crate) quiet: Stop,
    /// Raised when clients shall leave.
    pub(crate) leave: Stop,
    servers: BTreeMap<Node, Server>,
    /// By node: mostly one each.
    clients: BTreeMap<Node, Vec<Client>>,
    /// Clients that have done their part, by name.
    finished: Arc<std::sync::Mutex<BTreeSet<String>>>,
    /// Servers that are up.
    up: BTreeSet<Node>,
    agenda: BTreeMap<(Duration, u64), Step>,
    /// How a server that runs is asked to stop.
    stops: BTreeMap<Node, Stop>,
    /// Who is struck again while it recovers: after so many operations of its disk, in which way.
    doomed: BTreeMap<Node, (u64, &'static str)>,
    /// Raised when nothing strikes any more.
    healed: Stop,
    steps: u64,
    news: (mpsc::UnboundedSender<News>, mpsc::UnboundedReceiver<News>),
    /// The node on which starts are carried out.
    stagehand: Node,
    rng: Rng,
    /// What was done, for the report.
    pub(crate) log: Vec<String>,
}

impl Director {
    /// A director with nobody to direct yet.
    pub(crate) fn new(control: Control, observer: Observer, recorder: Recorder) -> Self {
        let stagehand = control.node("stagehand");
        let rng = control.stream("fault/director");
        Self {
            control,
            observer,
            recorder,
            namesrv: Vec::new(),
            quiet: Stop::new(),
            leave: Stop::new(),
            servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            finished: Arc::default(),
            up: BTreeSet::new(),
            agenda: BTreeMap::new(),
            stops: BTreeMap::new(),
            doomed: BTreeMap::new(),
            healed: Stop::new(),
            steps: 0,
            news: mpsc::unbounded_channel(),
            stagehand,
            rng,
            log: Vec::new(),
        }
    }

    /// Adds a server and starts it.
    pub(crate) fn add_server(&mut self, server: Server) {
        let node = server.node.clone();
        self.servers.insert(node.clone(), server);
        self.start(&node);
    }

    /// Adds a client and starts it.
    pub(crate) fn add_client(&mut self, client: Client) {
        let node = client.node.clone();
        if self.clients.contains_key(&node) {
            self.drive(&client);
            self.clients.entry(node).or_default().push(client);
        } else {
            self.clients.insert(node.clone(), vec![client]);
            self.start(&node);
        }
    }

    /// Lets a client do its part from the beginning.
    fn drive(&self, client: &Client) {
        let (name, finished) = (client.name.clone(), self.finished.clone());
        let drive = client.workload.drive(client.index, self.stage(&client.node));
        self.control.spawn_on(&client.node, async move {
            drive.await;
            finished.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name);
        });
    }

    /// The servers' nodes.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.values()
    }

    /// Whether all servers that live are up.
    pub(crate) fn all_up(&self) -> bool {
        self.servers.keys().all(|node| self.up.contains(node))
    }

    /// The living clients that have not done their part.
    pub(crate) fn busy(&self) -> Vec<String> {
        let finished = self.finished.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let living = self.clients.iter().filter(|(at, _)| self.control.life(at) == Life::Running);
        let names = living.flat_map(|(_, clients)| clients).map(|client| &client.name);
        names.filter(|name| !finished.contains(*name)).cloned().collect()
    }

    /// Puts the strikes of a fault phase that begins now on the agenda.
    pub(crate) fn plan(&mut self, strikes: &[Strike]) {
        let now = self.control.elapsed();
        for strike in strikes {
            self.at(now + strike.at, Step::Strike(strike.clone()));
        }
    }

    /// Lets the run go on for `duration`, doing what is on the agenda, or until `done`.
    pub(crate) async fn go_on(&mut self, duration: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.control.elapsed() + duration;
        loop {
            self.observer.catch_up();
            if done(self) {
                return true;
            }
            let now = self.control.elapsed();
            // What is still due stays on the agenda: the heal undoes it, or a later phase does it.
            if self.agenda.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
                let (_, step) = self.agenda.pop_first().expect("it was seen");
                self.take(step);
                continue;
            }
            if end <= now {
                return false;
            }
            let next = self.agenda.first_key_value().map_or(end, |((at, _), _)| (*at).min(end));
            let pause = next.saturating_sub(now).min(Duration::from_secs(1));
            match race(self.news.1.recv(), self.control.sleep(pause)).await {
                Either::Left(Some(news)) => self.hear(news),
                Either::Left(None) | Either::Right(()) => {}
            }
        }
    }

    /// Ends all faults and starts whoever is dead, except those who stay dead for ever, and the
    /// cuts that stay.
    pub(crate) fn heal(&mut self, stay_dead: &[Node], cut_off: &[CutOff]) {
        for (_, step) in std::mem::take(&mut self.agenda) {
            if let Step::Undo(strike) = step {
                strike::undo(&self.control, &strike);
            }
        }
        self.doomed.clear();
        self.healed.stop();
        sim::fault::partition::heal_all(&self.control);
        cut_off.iter().for_each(|cut| self.cut_off(cut));
        self.observer.catch_up();
        self.observer.healed();
        let nodes: Vec<Node> = self.servers.keys().chain(self.clients.keys()).cloned().collect();
        for node in nodes {
            self.control.resume(&node);
            if stay_dead.contains(&node) {
                self.bury(&node);
            } else if matches!(self.control.life(&node), Life::Dead | Life::Dark) {
                self.start(&node);
            }
        }
    }

    /// A node stays cut off from everybody for ever, in one direction.
    fn cut_off(&mut self, cut: &CutOff) {
        let Some(node) = self.control.find(&cut.node) else { return };
        runtime::sometimes!("runner: a name server is not heard for ever", cut.hears);
        runtime::sometimes!("runner: a name server hears nobody for ever", !cut.hears);
        self.log(&node, if cut.hears { "is heard no more" } else { "hears nobody any more" });
        for other in self.control.nodes() {
            let (from, to) = if cut.hears { (&node, &other) } else { (&other, &node) };
            if from != to {
                sim::fault::partition::one_way(&self.control, from, to);
            }
        }
    }

    /// A node is dead for ever: its process alone, or the whole machine, so that its peers hear of
    /// it or never do.
    fn bury(&mut self, node: &Node) {
        self.log(node, "stays dead");
        if self.rng.chance(0.5) {
            self.end(node, Fault::ProcessKill);
        } else if self.control.life(node) != Life::Dark {
            self.control.power_fail(node);
            self.observer.fault(node.name(), Fault::PowerLoss);
        }
        self.servers.remove(node);
        self.clients.remove(node);
    }

    fn at(&mut self, when: Duration, step: Step) {
        self.steps += 1;
        self.agenda.insert((when, self.steps), step);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Strike(strike) => self.strike(strike),
            Step::Undo(strike) => strike::undo(&self.control, &strike),
            // One that was struck twice while it was down is up since the first of its starts.
            // Another would be a kill that no ledger knows.
            Step::Start(node) if self.lives(&node) => {}
            Step::Start(node) => self.start(&node),
        }
    }

    fn strike(&mut self, strike: Strike) {
        let Some(node) = self.control.find(&strike.node) else { return };
        let Some(faults) = strike::apply(&self.control, &strike) else { return };
        if strike.kind == NemesisKind::Stop {
            let Some(stop) = self.stops.get(&node) else { return };
            stop.stop();
        }
        if let Some(class) = class::of_strike(&strike) {
            self.observer.count(class);
        }
        self.log(&node, &format!("{:?}", strike.kind));
        if let NemesisKind::KillInRecovery | NemesisKind::PowerFailInRecovery = strike.kind {
            let class = class::of_doom(strike.kind == NemesisKind::PowerFailInRecovery, true);
            self.doomed.insert(node.clone(), (strike.amount.unsigned_abs(), class));
        }
        if strike.kind == NemesisKind::PowerFailAmid {
            self.doom(&node, (strike.amount.unsigned_abs(), class::of_doom(true, false)));
        }
        let ends = |fault: &Fault| {
            matches!(fault, Fault::ProcessKill | Fault::PowerLoss | Fault::DiskLost)
        };
        if faults.iter().any(ends) {
            self.ended(&node);
        }
        self.at(self.control.elapsed() + strike.lasts, Step::Undo(strike));
        for fault in faults {
            self.observer.fault(node.name(), fault);
        }
    }

    /// A node has ended and is started anew after a while.
    fn ended(&mut self, node: &Node) {
        self.up.remove(node);
        let down = self.draw_down();
        self.at(self.control.elapsed() + down, Step::Start(node.clone()));
    }

    fn draw_down(&self) -> Duration {
        let (least, most) = DOWN;
        let span = (most - least).as_millis() as u64;
        least + Duration::from_millis(self.rng.below(span))
    }

    fn lives(&self, node: &Node) -> bool {
        matches!(self.control.life(node), Life::Running | Life::Paused)
    }

    /// Kills a node now, if it lives.
    fn end(&mut self, node: &Node, fault: Fault) {
        if self.lives(node) {
            self.control.kill(node);
            self.observer.fault(node.name(), fault);
        }
        self.up.remove(node);
    }

    fn start(&mut self, node: &Node) {
        if !matches!(self.control.life(node), Life::Running) || self.up.contains(node) {
            self.control.restart(node);
        }
        // Noted now and not when it serves: a broker answers before its start returns, because it
        // waits for its registration then. A start that fails is noted as a kill.
        self.observer.fault(node.name(), Fault::Started);
        if let Some(server) = self.servers.get(node).cloned() {
            let twice = self.rng.chance(0.5);
            let stop = Stop::new();
            self.stops.insert(node.clone(), stop.clone());
            let (control, to) = (self.control.clone(), self.news.0.clone());
            let start = servers::start(control, server, (twice, stop), to);
            self.control.spawn_on(&self.stagehand, start);
            if let Some(doom) = self.doomed.remove(node) {
                self.doom(node, doom);
            }
        } else if let Some(clients) = self.clients.get(node) {
            clients.iter().for_each(|client| self.drive(client));
        }
    }

    /// Strikes a node in the midst of its work.
    fn doom(&self, node: &Node, doom: (u64, &'static str)) {
        let (control, ends) = (self.control.clone(), (self.healed.clone(), self.news.0.clone()));
        self.control.spawn_on(&self.stagehand, strike::doom(control, node.clone(), doom, ends));
    }

    /// The stage for a client on that node.
    pub(crate) fn stage(&self, node: &Node) -> Stage {
        Stage {
            runtime: self.control.runtime(node),
            namesrv: self.namesrv.clone(),
            recorder: self.recorder.held_by(node.name()),
            incarnation: self.control.incarnation(node) as u32 - 1,
            quiet: self.quiet.clone(),
            leave: self.leave.clone(),
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Started { node, incarnation, end, recovery } => {
                if let Some(recovery) = recovery {
                    self.observer.recovered(&recovery);
                }
                if self.control.incarnation(&node) != incarnation {
                    return;
                }
                match end {
                    Ok(()) => {
                        self.up.insert(node);
                    }
                    Err(error) => {
                        self.log(&node, &format!("did not start: {error}"));
                        self.end(&node, Fault::ProcessKill);
                        self.ended(&node);
                    }
                }
            }
            News::Revived { node, recovery } => {
                self.observer.recovered(&recovery);
                self.observer.fault(node.name(), Fault::Started);
            }
            News::Failed { node, incarnation } => {
                if self.control.incarnation(&node) == incarnation {
                    self.log(&node, "has failed and is started anew");
                    self.observer.fault(node.name(), Fault::GaveUp);
                    self.end(&node, Fault::ProcessKill);
                    self.ended(&node);
                }
            }
            News::Stopped { node, incarnation, clean } => {
                if self.control.incarnation(&node) == incarnation {
                    self.log(&node, if clean { "has stopped" } else { "has stopped uncleanly" });
                    let fault = if clean { Fault::Stopped } else { Fault::ProcessKill };
                    self.end(&node, fault);
                    self.ended(&node);
                }
            }
            News::Struck { node, fault, class } => {
                self.log(&node, &format!("is struck between two operations: {fault:?}"));
                self.observer.count(class);
                self.observer.fault(node.name(), fault);
                self.ended(&node);
            }
        }
    }

    fn log(&mut self, node: &Node, what: &str) {
        self.control.note(node.name(), "log", [0, 0], format_args!("{what}"));
        let at = self.control.elapsed().as_secs_f64();
        self.log.push(format!("{at:>9.3} s  {:<12} {what}", node.name()));
    }
}
