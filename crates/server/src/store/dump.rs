//! `hotfire store dump`: messages out of the files, one per line.

use std::io::{BufWriter, Stdout, Write};

use message::message_id;
use message::property;
use message::record::View;
use serde_json::{Map, Value, json};
use store::inspect::{DumpRequest, Dumped, dump};

use super::colour::Colours;
use super::place::{failed, open, survey};
use crate::cli::StoreDumpArgs;
use crate::failure::Failure;
use crate::text::{base64, preview, utc};

/// How many characters of a body, a topic, the tags and the keys are shown.
const BODY_MAX: usize = 48;
const TOPIC_MAX: usize = 24;
const TAGS_MAX: usize = 12;
const KEYS_MAX: usize = 20;

/// Writes messages to the standard output.
///
/// # Errors
/// There is no such store, queue or record, or damage was met on the way.
pub(crate) async fn run(args: StoreDumpArgs) -> Result<(), Failure> {
    let runtime = open(&args.dir)?;
    let survey = survey(&runtime, &args.dir).await?;
    let request = DumpRequest {
        topic: args.topic.clone(),
        queue: args.queue,
        from: args.from,
        to: args.to,
        offset: args.offset,
    };
    let mut lines = Lines {
        out: BufWriter::new(std::io::stdout()),
        colours: Colours::of_stdout(),
        json: args.json,
        left: args.count.unwrap_or(u64::MAX),
        bad: 0,
    };
    if lines.left == 0 || !lines.head() {
        return Ok(());
    }
    let ended = dump(&runtime.disk, &survey, &request, &mut |dumped| lines.write(&dumped)).await;
    // Whoever closed the pipe has seen enough.
    let _ = lines.out.flush();
    ended.map_err(|error| failed(&args.dir, &error))?;
    match lines.bad {
        0 => Ok(()),
        bad => Err(Failure::new(format!("{bad} places could not be shown"))
            .remedy(format!("hotfire store check {}", args.dir.display()))),
    }
}

/// Where lines go, and how many more.
struct Lines {
    out: BufWriter<Stdout>,
    colours: Colours,
    json: bool,
    left: u64,
    bad: u64,
}

impl Lines {
    /// Writes the names of the columns; false when nobody reads.
    fn head(&mut self) -> bool {
        let (dim, off) = (self.colours.dim, self.colours.off);
        self.json
            || writeln!(
                self.out,
                "{dim}{:>14} {:>8}  {:TOPIC_MAX$} {:>5} {:>10}  {:24}  {:TAGS_MAX$}  \
                 {:KEYS_MAX$} {:>8}  body{off}",
                "offset", "size", "topic", "queue", "place", "stored", "tags", "keys", "length"
            )
            .is_ok()
    }

    /// Writes a line; false when nobody reads, or all that was asked for is there.
    fn write(&mut self, dumped: &Dumped<'_>) -> bool {
        let written = match (dumped, self.json) {
            (Dumped::Record(view), true) => writeln!(self.out, "{}", object(view)),
            (Dumped::Record(view), false) => {
                let (line, Colours { dim, red, off, .. }) = (line(view), self.colours);
                let torn = if view.crc_holds() { "" } else { " checksum does not hold" };
                let body = preview(view.body, BODY_MAX);
                writeln!(self.out, "{line}  {dim}{body}{off}{red}{torn}{off}")
            }
            (Dumped::Bad { offset, why }, true) => {
                writeln!(self.out, "{}", json!({ "offset": offset, "error": why }))
            }
            (Dumped::Bad { offset, why }, false) => {
                let Colours { red, off, .. } = self.colours;
                writeln!(self.out, "{offset:>14} {red}{why}{off}")
            }
        };
        match dumped {
            Dumped::Record(_) => self.left -= 1,
            Dumped::Bad { .. } => self.bad += 1,
        }
        written.is_ok() && self.left > 0
    }
}

/// A message without its body, in columns.
fn line(view: &View<'_>) -> String {
    let short = |name: &str, max: usize| preview(view.property(name).unwrap_or_default(), max);
    format!(
        "{:>14} {:>8}  {:TOPIC_MAX$} {:>5} {:>10}  {:24}  {:TAGS_MAX$}  {:KEYS_MAX$} {:>8}",
        view.physical_offset.0,
        view.store_size,
        preview(view.topic.as_bytes(), TOPIC_MAX),
        view.queue_id,
        view.queue_offset.0,
        utc(view.store_timestamp),
        short(property::TAGS, TAGS_MAX),
        short(property::KEYS, KEYS_MAX),
        view.body.len(),
    )
}

/// A message with everything that it has.
fn object(view: &View<'_>) -> Value {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let properties: Map<String, Value> = property::iter(view.properties)
        .map(|(name, value)| (lossy(name), Value::String(lossy(value))))
        .collect();
    let mut object = json!({
        "offset": view.physical_offset.0,
        "size": view.store_size,
        "topic": view.topic,
        "queue": view.queue_id,
        "queueOffset": view.queue_offset.0,
        "stored": utc(view.store_timestamp),
        "storedMs": view.store_timestamp,
        "bornMs": view.born_timestamp,
        "bornHost": view.born_host.to_string(),
        "storeHost": view.store_host.to_string(),
        "messageId": message_id::encode(view.store_host, view.physical_offset),
        "flag": view.flag,
        "sysFlag": view.sys_flag.0,
        "reconsumeTimes": view.reconsume_times,
        "preparedTransactionOffset": view.prepared_transaction_offset.0,
        "crcHolds": view.crc_holds(),
        "properties": properties,
    });
    match std::str::from_utf8(view.body) {
        Ok(text) => object["body"] = text.into(),
        Err(_) => object["bodyBase64"] = base64(view.body).into(),
    }
    object
}
