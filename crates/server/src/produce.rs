//! `hotfire produce`: each line of the standard input becomes a message.

use std::io::{self, BufRead, IsTerminal};

use hotfire_client::{Producer, ProducerConfig};
use message::Message;
use runtime::sync::{Either, race};
use runtime_tokio::stop_requested;
use tokio::sync::mpsc;

use crate::cli::ProduceArgs;
use crate::failure::Failure;
use crate::tool::Tool;

/// Lines that wait to be sent.
const LINES_MAX: usize = 1024;
/// Lines sent in one request, when so many are waiting.
const BATCH_LINES_MAX: usize = 64;
/// Bytes sent in one request, so that no broker's limit is met by lines that are fine alone.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// A line and its number, from 1.
type Line = (u64, Vec<u8>);

/// Sends every line until the end of the input; the order of the lines is kept.
pub(crate) async fn run(args: ProduceArgs) -> Result<(), Failure> {
    let tool = Tool::start(args.cluster.namesrv.clone())?;
    let producer = Producer::start(&tool.client, &args.group, ProducerConfig::default())
        .map_err(|error| Failure::from_error("cannot produce", &error))?;
    if io::stdin().is_terminal() {
        eprintln!("each line is a message to {}; end with Ctrl-D", args.cluster.topic);
    }
    let sending = send_all(&tool, &producer, &args);
    let result = match race(sending, stop_requested()).await {
        Either::Left(result) => result,
        Either::Right(_) => Err(Failure::new("interrupted; what was not confirmed may be sent")),
    };
    producer.shutdown().await;
    tool.client.shutdown().await;
    result
}

async fn send_all(tool: &Tool, producer: &Producer, args: &ProduceArgs) -> Result<(), Failure> {
    let topic = &args.cluster.topic;
    let (mut lines, mut sent) = (read_lines(), 0);
    let mut read = Vec::new();
    while lines.recv_many(&mut read, BATCH_LINES_MAX).await > 0 {
        let (mut waiting, mut unreadable) = (Vec::new(), None);
        for line in read.drain(..) {
            match line {
                Ok(line) => waiting.push(line),
                Err(error) => unreadable = Some(error),
            }
        }
        while !waiting.is_empty() {
            let batch: Vec<Line> = waiting.drain(..batch_len(&waiting)).collect();
            let (first, count) = (batch[0].0, batch.len() as u64);
            let messages = batch.into_iter().map(|(_, body)| message(args, body)).collect();
            send(producer, messages).await.map_err(|error| {
                let what = format!("line {first} was not sent to {topic} ({sent} lines were)");
                tool.failed(what, &error)
            })?;
            sent += count;
        }
        if let Some(error) = unreadable {
            let what = format!("the input cannot be read further ({sent} lines were sent)");
            return Err(Failure::from_error(what, &error));
        }
    }
    eprintln!("sent {sent} {} to {topic}", if sent == 1 { "message" } else { "messages" });
    Ok(())
}

async fn send(
    producer: &Producer,
    mut messages: Vec<Message>,
) -> Result<(), hotfire_client::SendError> {
    let result = match messages.len() {
        1 => producer.send(messages.remove(0)).await?,
        _ => producer.send_batch(messages).await?,
    };
    if result.status != hotfire_client::SendStatus::Ok {
        tracing::warn!(status = ?result.status, "stored, but not as safely as configured");
    }
    Ok(())
}

/// How many of the waiting lines go into the next request.
fn batch_len(waiting: &[Line]) -> usize {
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|(_, line)| {
        bytes += line.len();
        bytes <= BATCH_BYTES_MAX
    });
    fits.count().max(1)
}

fn message(args: &ProduceArgs, body: Vec<u8>) -> Message {
    let mut message = Message::new(args.cluster.topic.clone(), body);
    if let Some(tag) = &args.tag {
        message = message.with_tags(tag);
    }
    if !args.keys.is_empty() {
        message = message.with_keys(args.keys.join(" "));
    }
    message
}

/// Reads the standard input on a thread of its own: a read of a terminal cannot be cancelled.
fn read_lines() -> mpsc::Receiver<io::Result<Line>> {
    let (to, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        for number in 1.. {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    let _ = to.blocking_send(Err(error));
                    return;
                }
            }
            while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                line.pop();
            }
            // RocketMQ has no messages without a body.
            if !line.is_empty() && to.blocking_send(Ok((number, line))).is_err() {
                return;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_at_its_bytes_but_takes_one_line_always() {
        let lines = |lens: &[usize]| -> Vec<Line> {
            lens.iter().map(|len| (1, vec![b'x'; *len])).collect()
        };
        assert_eq!(batch_len(&lines(&[10, 10, 10])), 3);
        assert_eq!(batch_len(&lines(&[BATCH_BYTES_MAX, 1])), 1);
        assert_eq!(batch_len(&lines(&[BATCH_BYTES_MAX + 1, 1])), 1);
    }
}
