//! Who watches the probes of the product: counts goals, and decides where it shall misbehave.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use runtime::Rng;
use runtime::probe::Observer;

/// How often a probe was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeCount {
    /// Reached at all.
    pub reached: u64,
    /// Reached and held (`sometimes!`), or told to misbehave (`buggify!`).
    pub held: u64,
}

/// The probes of one world. Each `buggify!` site has a stream of its own and is switched on or off
/// for the whole of a seed: a site that may misbehave at all does so now and then.
pub struct Probes {
    root: Rng,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    buggify: bool,
    goals: BTreeMap<&'static str, ProbeCount>,
    sites: BTreeMap<&'static str, Site>,
}

struct Site {
    rng: Rng,
    awake: bool,
    count: ProbeCount,
}

/// The chance that a site is awake in a seed, and that an awake one misbehaves when reached.
const AWAKE: f64 = 0.25;
const MISBEHAVES: f64 = 0.25;

impl Probes {
    pub(crate) fn new(root: Rng) -> Rc<Self> {
        Rc::new(Self { root, state: RefCell::default() })
    }

    /// Lets `buggify!` sites misbehave from now on, or not. Off at first.
    pub fn set_buggify(&self, on: bool) {
        self.state.borrow_mut().buggify = on;
    }

    /// The `sometimes!` goals met so far, by name.
    pub fn goals(&self) -> BTreeMap<&'static str, ProbeCount> {
        self.state.borrow().goals.clone()
    }

    /// The `buggify!` sites reached so far, by name.
    pub fn sites(&self) -> BTreeMap<&'static str, ProbeCount> {
        self.state.borrow().sites.iter().map(|(name, site)| (*name, site.count)).collect()
    }
}

impl Observer for Probes {
    fn sometimes(&self, name: &'static str, held: bool) {
        let mut state = self.state.borrow_mut();
        let count = state.goals.entry(name).or_default();
        count.reached += 1;
        count.held += u64::from(held);
    }

    fn buggify(&self, name: &'static str) -> bool {
        let mut state = self.state.borrow_mut();
        let on = state.buggify;
        let site = state.sites.entry(name).or_insert_with(|| {
            let rng = self.root.stream(&format!("buggify/{name}"));
            Site { awake: rng.chance(AWAKE), rng, count: ProbeCount::default() }
        });
        let misbehaves = on && site.awake && site.rng.chance(MISBEHAVES);
        site.count.reached += 1;
        site.count.held += u64::from(misbehaves);
        misbehaves
    }
}
