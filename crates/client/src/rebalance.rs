//! Which queues of a topic are mine: the average allocation, the same on every member of a group.
//!
//! Pure: every member that sees the same lists comes to the same answer, so nobody has to be asked.

use message::MessageQueue;

/// The queues that `me` owns: both lists are sorted, the queues are dealt in contiguous runs, and
/// the first `queues % clients` members get one more (the strategy `AVG` of RocketMQ).
///
/// Empty when `me` is not among the clients: whoever is not a member owns nothing.
pub fn averagely(queues: &[MessageQueue], clients: &[String], me: &str) -> Vec<MessageQueue> {
    let mut queues = queues.to_vec();
    queues.sort();
    queues.dedup();
    let mut clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    clients.sort_unstable();
    clients.dedup();
    let Ok(mine) = clients.binary_search(&me) else {
        return Vec::new();
    };
    let (each, rest) = (queues.len() / clients.len(), queues.len() % clients.len());
    let start = mine * each + mine.min(rest);
    let len = each + usize::from(mine < rest);
    queues[start..start + len].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(count: u32) -> Vec<MessageQueue> {
        (0..count).map(|id| queue("a", id)).collect()
    }

    fn queue(broker: &str, queue_id: u32) -> MessageQueue {
        MessageQueue { topic: "T".into(), broker_name: broker.into(), queue_id }
    }

    fn clients(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("client-{number:02}")).collect()
    }

    #[test]
    fn every_queue_has_exactly_one_owner_and_shares_differ_by_at_most_one() {
        for queue_count in 0..12 {
            for client_count in 1..14 {
                let (all, members) = (queues(queue_count), clients(client_count));
                let shares: Vec<Vec<MessageQueue>> =
                    members.iter().map(|me| averagely(&all, &members, me)).collect();
                let sizes: Vec<usize> = shares.iter().map(Vec::len).collect();
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
                assert_eq!(shares.concat(), all, "in order, none twice, none forgotten");
            }
        }
    }

    #[test]
    fn the_order_of_the_lists_changes_nothing() {
        let (mut all, mut members) = (queues(7), clients(3));
        let before = averagely(&all, &members, "client-01");
        all.reverse();
        members.rotate_left(2);
        assert_eq!(averagely(&all, &members, "client-01"), before);
        assert_eq!(before, [queue("a", 3), queue("a", 4)]);
    }

    #[test]
    fn a_stranger_owns_nothing_and_a_surplus_member_neither() {
        assert_eq!(averagely(&queues(4), &clients(2), "stranger"), []);
        assert_eq!(averagely(&queues(4), &[], "stranger"), []);
        assert_eq!(averagely(&queues(1), &clients(2), "client-01"), []);
    }
}
