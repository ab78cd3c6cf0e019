//! `hotfire query`: messages by key or by id.

use std::io::Write;

use hotfire_client::KeyQuery;
use message::MessageExt;

use crate::cli::QueryArgs;
use crate::consume::as_json;
use crate::failure::Failure;
use crate::position::Position;
use crate::text::{preview, utc};
use crate::tool::Tool;

/// Characters of a body, a tag or a key that the table shows.
const SHOWN_MAX: usize = 40;
/// The latest time that the protocol can say, in ms.
const END_OF_TIME_MS: u64 = i64::MAX.unsigned_abs();

/// Shows the messages that match, oldest first; none is a failure, so that a script can tell.
pub(crate) async fn run(args: QueryArgs) -> Result<(), Failure> {
    let tool = Tool::start(args.cluster.namesrv.clone())?;
    let found = find(&tool, &args).await;
    tool.client.shutdown().await;
    let found = found?;
    if found.is_empty() {
        let remedy = "a key is one word of KEYS; is the topic right, and is the time (--from, \
                      --to)? messages that retention deleted cannot be found";
        return Err(
            Failure::new(format!("no message of {} matches", args.cluster.topic)).remedy(remedy)
        );
    }
    let text = match args.json {
        true => found.iter().map(|message| as_json(&queue_of(message), message) + "\n").collect(),
        false => table(&found),
    };
    // Whoever closed the pipe has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(())
}

async fn find(tool: &Tool, args: &QueryArgs) -> Result<Vec<MessageExt>, Failure> {
    let topic = &args.cluster.topic;
    let failed = |error| tool.failed(format!("cannot query {topic}"), &error);
    if let Some(id) = &args.id {
        let found = tool.client.view_message(topic, id).await.map_err(failed)?;
        return Ok(found.into_iter().collect());
    }
    let query = KeyQuery {
        topic: topic.clone(),
        key: args.key.clone().unwrap_or_default(),
        is_unique: false,
        count_max: args.max,
        begin_ms: time(args.from, 0),
        end_ms: time(args.to, END_OF_TIME_MS),
    };
    let mut found = tool.client.query_message(&query).await.map_err(failed)?;
    found.sort_by_key(|message| message.store_timestamp);
    let surplus = found.len().saturating_sub(args.max as usize);
    Ok(found.split_off(surplus))
}

/// A bound of the time that is searched; `otherwise` where none is given.
fn time(bound: Option<Position>, otherwise: u64) -> u64 {
    match bound {
        Some(Position::Time(ms)) => ms,
        Some(Position::First) => 0,
        Some(Position::Last) => END_OF_TIME_MS,
        None => otherwise,
    }
}

/// Where it is stored: the broker's address and the queue's number there.
fn queue_of(message: &MessageExt) -> String {
    format!("{}:{}", message.store_host, message.queue_id)
}

fn table(found: &[MessageExt]) -> String {
    let shown = |text: Option<&str>| {
        text.map_or_else(|| "-".into(), |it| preview(it.as_bytes(), SHOWN_MAX))
    };
    let mut rows: Vec<[String; 7]> =
        vec![["STORED", "BROKER:QUEUE", "OFFSET", "TAG", "KEYS", "ID", "BODY"].map(str::to_owned)];
    rows.extend(found.iter().map(|stored| {
        let message = &stored.message;
        [
            utc(stored.store_timestamp),
            queue_of(stored),
            stored.queue_offset.0.to_string(),
            shown(message.tags()),
            shown(message.keys()),
            stored.message_id(),
            preview(&message.body, SHOWN_MAX),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..6).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>() + &row[6] + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_time_or_an_end() {
        assert_eq!(time(None, 7), 7);
        assert_eq!(time(Some(Position::Time(9)), 7), 9);
        assert_eq!(time(Some(Position::First), 7), 0);
        assert_eq!(time(Some(Position::Last), 7), END_OF_TIME_MS);
    }
}
