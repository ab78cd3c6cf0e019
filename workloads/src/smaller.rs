//! How traffic becomes smaller, for whoever looks for the least that still shows something.

use std::ops::Range;

use crate::consume::{self, GroupPlan, MemberPlan};
use crate::produce;
use crate::traffic::Traffic;

/// A number that may become smaller.
#[derive(Debug)]
pub struct Number<'a> {
    /// Itself.
    pub value: &'a mut u64,
    /// The least it may become.
    pub low: u64,
}

impl<'a> Number<'a> {
    /// A number that may become `low`.
    pub fn new(value: &'a mut u64, low: u64) -> Self {
        Self { value, low }
    }
}

impl Traffic {
    /// What its clients are told to do one after the other: sends of producers, stays of members
    /// besides the last.
    pub fn operations(&self) -> usize {
        match self {
            Traffic::Produce(plan) => plan.producers.iter().map(|each| each.ops.len()).sum(),
            Traffic::Consume(plan) => {
                let members = plan.groups.iter().flat_map(|group| &group.members);
                members.map(|member| member.stays.len()).sum()
            }
            Traffic::Lookup(plan) => plan.users.iter().map(|user| user.ops.len()).sum(),
        }
    }

    /// Whether it sends to topics that are read back at the end.
    pub fn has_topics(&self) -> bool {
        !self.workload().topics().is_empty()
    }

    /// Takes operations away, counted as [`Traffic::operations`] does. The others keep their times,
    /// as far as pauses tell.
    pub fn remove_operations(&mut self, range: Range<usize>) {
        let mut at = 0;
        let mut goes = || {
            at += 1;
            range.contains(&(at - 1))
        };
        match self {
            Traffic::Produce(plan) => plan.producers.iter_mut().for_each(|producer| {
                thin(&mut producer.ops, |_| goes(), |op| &mut op.pause_ms);
            }),
            Traffic::Consume(plan) => {
                members(plan).for_each(|member| member.stays.retain(|_| !goes()));
            }
            Traffic::Lookup(plan) => plan.users.iter_mut().for_each(|user| {
                thin(&mut user.ops, |_| goes(), |op| &mut op.pause_ms);
            }),
        }
    }

    /// The topics that it knows.
    pub fn topics(&self) -> &[String] {
        match self {
            Traffic::Produce(plan) => &plan.topics,
            Traffic::Consume(plan) => &plan.topics,
            Traffic::Lookup(plan) => &plan.topics,
        }
    }

    /// Takes all topics away but those that `keep`, by name, with what is sent there and asked of
    /// them. Who would know none any more keeps all: nobody is planned without one.
    pub fn retain_topics(&mut self, keep: impl Fn(&str) -> bool) {
        let kept: Vec<bool> = self.topics().iter().map(|topic| keep(topic)).collect();
        if !kept.contains(&true) {
            return;
        }
        // Where each stands when those before it are gone.
        let place = |topic: usize| kept[..topic].iter().filter(|is_kept| **is_kept).count();
        match self {
            Traffic::Produce(plan) => {
                for producer in &mut plan.producers {
                    thin(&mut producer.ops, |op| !kept[op.topic], |op| &mut op.pause_ms);
                    producer.ops.iter_mut().for_each(|op| op.topic = place(op.topic));
                }
                plan.topics.retain(|topic| keep(topic));
            }
            Traffic::Consume(plan) => plan.topics.retain(|topic| keep(topic)),
            Traffic::Lookup(plan) => {
                for user in &mut plan.users {
                    thin(&mut user.ops, |op| !kept[op.topic], |op| &mut op.pause_ms);
                    user.ops.iter_mut().for_each(|op| op.topic = place(op.topic));
                }
                plan.topics.retain(|topic| keep(topic));
            }
        }
    }

    /// Takes all clients away but those that `keep`, by node name.
    pub fn retain_clients(&mut self, keep: impl Fn(&str) -> bool) {
        match self {
            Traffic::Produce(plan) => plan.producers.retain(|producer| keep(&producer.name())),
            Traffic::Consume(plan) => {
                for group in &mut plan.groups {
                    let name = group.group.clone();
                    group.members.retain(|member| keep(&member.name(&name)));
                }
                // A group without members is owed nothing.
                plan.groups.retain(|group| !group.members.is_empty());
                plan.reader = plan.reader.take().filter(|reader| keep(&reader.name));
            }
            Traffic::Lookup(plan) => plan.users.retain(|user| keep(&user.name())),
        }
    }

    /// Its numbers that may become smaller, in an order that stays.
    pub fn numbers(&mut self) -> Vec<Number<'_>> {
        match self {
            Traffic::Produce(plan) => numbers_to_produce(plan),
            Traffic::Consume(plan) => numbers_to_consume(plan),
            Traffic::Lookup(plan) => {
                let ops = plan.users.iter_mut().flat_map(|user| &mut user.ops);
                ops.map(|op| Number::new(&mut op.pause_ms, 0)).collect()
            }
        }
    }
}

/// Takes those away that go; the next one waits for them, too.
fn thin<O>(ops: &mut Vec<O>, mut goes: impl FnMut(&O) -> bool, pause_ms: fn(&mut O) -> &mut u64) {
    let mut waited_ms = 0;
    ops.retain_mut(|op| {
        waited_ms += *pause_ms(op);
        let stays = !goes(op);
        if stays {
            *pause_ms(op) = std::mem::take(&mut waited_ms);
        }
        stays
    });
}

fn numbers_to_produce(plan: &mut produce::Plan) -> Vec<Number<'_>> {
    let ops = plan.producers.iter_mut().flat_map(|producer| &mut producer.ops);
    let mut numbers = Vec::new();
    for op in ops {
        numbers.push(Number::new(&mut op.pause_ms, 0));
        // A checksum of 0 takes four bytes.
        numbers.extend(op.messages.iter_mut().map(|message| Number::new(&mut message.len, 4)));
    }
    numbers
}

fn numbers_to_consume(plan: &mut consume::Plan) -> Vec<Number<'_>> {
    let mut numbers = Vec::new();
    for member in members_of(&mut plan.groups) {
        numbers.push(Number::new(&mut member.joins_after_ms, 0));
        numbers.push(Number::new(&mut member.concurrency_max, 1));
        numbers.push(Number::new(&mut member.behaviour.fails_per_thousand, 0));
        numbers.push(Number::new(&mut member.behaviour.takes_ms_max, 0));
        for (stays_ms, away_ms) in &mut member.stays {
            numbers.extend([Number::new(stays_ms, 1), Number::new(away_ms, 1)]);
        }
    }
    if let Some(reader) = &mut plan.reader {
        numbers.push(Number::new(&mut reader.hold_ms_max, 0));
        numbers.push(Number::new(&mut reader.jumps_per_thousand, 0));
    }
    numbers
}

fn members(plan: &mut consume::Plan) -> impl Iterator<Item = &mut MemberPlan> {
    members_of(&mut plan.groups)
}

fn members_of(groups: &mut [GroupPlan]) -> impl Iterator<Item = &mut MemberPlan> {
    groups.iter_mut().flat_map(|group| &mut group.members)
}

#[cfg(test)]
mod tests {
    use runtime::Rng;

    use crate::scenario;
    use crate::traffic::{self, Traffic};

    fn drawn() -> Vec<Traffic> {
        let all = scenario::all();
        let scenario = all.iter().find(|scenario| scenario.name == "everything").unwrap();
        traffic::plan(scenario, &Rng::from_seed([4; 32]))
    }

    #[test]
    fn operations_go_and_the_time_of_the_others_stays() {
        for mut traffic in drawn() {
            let before = traffic.operations();
            let sum_ms = |traffic: &Traffic| match traffic {
                Traffic::Produce(plan) => {
                    plan.producers[0].ops.iter().map(|op| op.pause_ms).sum::<u64>()
                }
                Traffic::Consume(_) | Traffic::Lookup(_) => 0,
            };
            let time_ms = sum_ms(&traffic);
            traffic.remove_operations(0..1.min(before));
            assert_eq!(traffic.operations(), before - 1.min(before));
            assert_eq!(sum_ms(&traffic), time_ms);
            traffic.remove_operations(0..before);
            assert_eq!(traffic.operations(), 0);
        }
    }

    #[test]
    fn clients_go_by_name_and_those_left_keep_theirs() {
        for mut traffic in drawn() {
            let names = traffic.clients();
            let last = names.last().unwrap().clone();
            traffic.retain_clients(|name| name == last);
            assert_eq!(traffic.clients(), [last]);
            traffic.retain_clients(|_| false);
            assert!(traffic.clients().is_empty());
        }
    }

    #[test]
    fn topics_go_with_what_is_sent_to_them_and_the_last_stays() {
        for mut traffic in drawn() {
            let (topics, before) = (traffic.topics().to_vec(), traffic.operations());
            let last = topics.last().unwrap().clone();
            traffic.retain_topics(|topic| topic == last);
            assert_eq!(traffic.topics(), std::slice::from_ref(&last));
            assert!(traffic.operations() <= before);
            if let Traffic::Produce(plan) = &traffic {
                assert!(plan.producers.iter().flat_map(|each| &each.ops).all(|op| op.topic == 0));
            }
            traffic.retain_topics(|_| false);
            assert_eq!(traffic.topics(), [last]);
        }
    }

    #[test]
    fn every_number_can_become_its_least() {
        for mut traffic in drawn() {
            traffic.numbers().into_iter().for_each(|number| *number.value = number.low);
            let more = traffic.numbers().into_iter().filter(|number| *number.value > number.low);
            assert_eq!(more.count(), 0);
        }
    }
}
