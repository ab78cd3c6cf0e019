//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::logging::LogFormat;
use crate::position::Position;

/// A message broker with RocketMQ's model and wire protocol.
#[derive(Debug, Parser)]
#[command(name = "hotfire", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to log: a level, or a filter such as `store=debug,info` [default: info for servers,
    /// warn for tools]
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// The shape of log lines on the standard error
    #[arg(long, global = true, value_enum, default_value = "plain", value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a name server and a broker in one process
    Standalone(StandaloneArgs),
    /// Run a name server
    Namesrv(NamesrvArgs),
    /// Run a broker
    Broker(BrokerArgs),
    /// Send each line of the standard input as a message
    Produce(ProduceArgs),
    /// Write messages to the standard output, one per line
    Consume(ConsumeArgs),
    /// Find messages by key or by id
    Query(QueryArgs),
    /// Measure how fast a cluster takes and gives messages
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Check, show or repair the files of a store, hotfire's or RocketMQ's
    #[command(subcommand)]
    Store(StoreCommand),
    /// List every configuration key with its default and what it does here
    Config,
}

/// Where the settings come from.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// A configuration file: RocketMQ's broker.conf (Java properties), or the same keys as .toml
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Sets one key, above the file; may be repeated. See `hotfire config`
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Arguments of `standalone`.
#[derive(Debug, Args)]
pub(crate) struct StandaloneArgs {
    /// Directory of the store (RocketMQ's storePathRootDir) [default: ./hotfire-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address the name server listens on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9876")]
    pub(crate) namesrv: String,
    /// Address the broker listens on [default: 127.0.0.1:10911]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    /// Settings
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Arguments of `namesrv`.
#[derive(Debug, Args)]
pub(crate) struct NamesrvArgs {
    /// Directory of what the name server keeps [default: ./hotfire-namesrv]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address to listen on [default: 0.0.0.0:9876]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    /// Settings
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Arguments of `broker`.
#[derive(Debug, Args)]
pub(crate) struct BrokerArgs {
    /// Name servers, with ; between [default: namesrvAddr of the file, then $NAMESRV_ADDR]
    #[arg(short, long, value_name = "HOST:PORT[;…]")]
    pub(crate) namesrv: Option<String>,
    /// Directory of the store (RocketMQ's storePathRootDir) [default: ./hotfire-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address to listen on [default: 0.0.0.0:10911]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    /// Settings
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// How a tool finds the cluster.
#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    /// Name servers, with ; between [default: $NAMESRV_ADDR, then 127.0.0.1:9876]
    #[arg(short, long, value_name = "HOST:PORT[;…]")]
    pub(crate) namesrv: Option<String>,
    /// Topic; a broker may create it with its first message
    #[arg(short, long)]
    pub(crate) topic: String,
}

/// Arguments of `produce`.
#[derive(Debug, Args)]
pub(crate) struct ProduceArgs {
    /// The cluster
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Tag of every message
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Key of every message; may be repeated
    #[arg(long = "key", visible_alias = "keys", value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    /// Producer group
    #[arg(long, default_value = "hotfire-produce")]
    pub(crate) group: String,
}

/// Arguments of `consume`.
#[derive(Debug, Args)]
pub(crate) struct ConsumeArgs {
    /// The cluster
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Consume as a member of this group, whose progress the broker keeps. Without it every
    /// message is read, and nothing is kept
    #[arg(short, long)]
    pub(crate) group: Option<String>,
    /// Only these tags: A, or A||B
    #[arg(long, default_value = "*")]
    pub(crate) tag: String,
    /// Where to begin (a group: only in queues it has no progress in): first, last, or a time as
    /// milliseconds since 1970 or 2026-11-20T09:30:00Z
    #[arg(long, default_value = "last", value_name = "first|last|TIME")]
    pub(crate) from: Position,
    /// Ends after so many messages
    #[arg(long, value_name = "COUNT")]
    pub(crate) max: Option<u64>,
    /// Writes each message as a JSON object with its keys, tag, queue and offset
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `query`.
#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false)]
pub(crate) struct QueryArgs {
    /// The cluster
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Messages that have this key: one word of their KEYS
    #[arg(short, long, group = "what")]
    pub(crate) key: Option<String>,
    /// The message with this id: the one its producer was told (msgId), or offsetMsgId
    #[arg(long, group = "what")]
    pub(crate) id: Option<String>,
    /// Not stored before this time: milliseconds since 1970 or 2026-11-20T09:30:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    pub(crate) from: Option<Position>,
    /// Not stored after this time
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    pub(crate) to: Option<Position>,
    /// The newest so many
    #[arg(long, value_name = "COUNT", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) max: u32,
    /// Writes each message as a JSON object with its keys, tag, queue and offset
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Send messages as fast as they are taken, or at a rate
    Produce(BenchProduceArgs),
    /// Read a topic from its beginning as fast as it is given
    Consume(BenchConsumeArgs),
}

/// What both measurements have.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Name servers, with ; between [default: $NAMESRV_ADDR, then 127.0.0.1:9876]
    #[arg(short, long, value_name = "HOST:PORT[;…]")]
    pub(crate) namesrv: Option<String>,
    /// Topic
    #[arg(short, long, default_value = "hotfire-bench")]
    pub(crate) topic: String,
    /// Connections at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Ends after this time [default: produce 10s, unless --count is
    /// given; consume at the end of the topic]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Ends after so many messages
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Writes the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `bench produce`.
#[derive(Debug, Args)]
pub(crate) struct BenchProduceArgs {
    /// What both have
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
    /// Requests without an answer yet, per connection
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) in_flight: u32,
    /// Bytes of a body
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=4 << 20))]
    pub(crate) size: u32,
    /// Messages in one request
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) batch: u32,
    /// Messages per second, all connections together; latency then counts from when a message was
    /// due [default: as fast as they are taken]
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// How the requests are written
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) headers: Headers,
}

/// How the requests of a measurement are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Headers {
    /// JSON, what RocketMQ's clients speak unless told otherwise.
    Json,
    /// RocketMQ's binary form.
    Binary,
}

/// Arguments of `bench consume`.
#[derive(Debug, Args)]
pub(crate) struct BenchConsumeArgs {
    /// What both have
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
    /// Messages asked for in one pull
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) batch: u32,
}

/// What to do with a store's files.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Verify CommitLog, ConsumeQueues, index, checkpoint and configuration against each other;
    /// changes nothing. Exit code: 0 sound, 1 errors found, 2 could not check
    Check(StoreCheckArgs),
    /// Show messages, in the order of the CommitLog or of a queue
    Dump(StoreDumpArgs),
    /// Mend what the CommitLog can tell, after asking; never touches the CommitLog itself
    Repair(StoreRepairArgs),
}

/// Arguments of `store check`.
#[derive(Debug, Args)]
pub(crate) struct StoreCheckArgs {
    /// The store's root directory (storePathRootDir)
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Read it though a broker has it; what is found about the newest messages may be wrong
    #[arg(long)]
    pub(crate) live: bool,
    /// Slots of an IndexFile (maxHashSlotNum), where its length does not tell
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) index_slots: Option<u64>,
    /// Writes the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `store dump`.
#[derive(Debug, Args)]
pub(crate) struct StoreDumpArgs {
    /// The store's root directory (storePathRootDir)
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Only this topic
    #[arg(short, long)]
    pub(crate) topic: Option<String>,
    /// Only this queue of the topic, read through its ConsumeQueue
    #[arg(long, value_name = "NUMBER", requires = "topic")]
    pub(crate) queue: Option<u32>,
    /// The first place in the queue
    #[arg(long, value_name = "QUEUE_OFFSET", requires = "topic")]
    pub(crate) from: Option<u64>,
    /// The place to stop before
    #[arg(long, value_name = "QUEUE_OFFSET", requires = "topic")]
    pub(crate) to: Option<u64>,
    /// The offset in the CommitLog to begin at, where a record starts
    #[arg(long, value_name = "PHYSICAL_OFFSET")]
    pub(crate) offset: Option<u64>,
    /// Ends after so many messages
    #[arg(long, value_name = "COUNT")]
    pub(crate) count: Option<u64>,
    /// Writes each message as a JSON object with its properties and its body
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `store repair`.
#[derive(Debug, Args)]
pub(crate) struct StoreRepairArgs {
    /// The store's root directory (storePathRootDir)
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Does not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Slots of an IndexFile (maxHashSlotNum), where its length does not tell
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) index_slots: Option<u64>,
}

/// A time such as `500ms`, `10s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let expected = || "expected a time such as 500ms, 10s, 5m or 1h".to_owned();
    let number: u64 = number.parse().map_err(|_| expected())?;
    let factor_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(expected()),
    };
    match number.checked_mul(factor_ms) {
        Some(1..) => Ok(Duration::from_millis(number * factor_ms)),
        _ => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_commands_of_the_readme_parse() {
        for line in [
            "hotfire standalone",
            "hotfire standalone --data d --namesrv a:1 --listen b:2 -c f.conf --set a=1 --set b=2",
            "hotfire namesrv --listen 0.0.0.0:9876 --log debug --log-format json",
            "hotfire broker -n a:9876;b:9876 -c broker.conf --set flushDiskType=SYNC_FLUSH",
            "hotfire produce --topic t --tag a --key k1 --keys k2",
            "hotfire consume --topic t --group g --tag a||b --from first --max 10",
            "hotfire consume --topic t --from 1700000000000",
            "hotfire query --topic t --key k --from 1700000000000 --to last --max 3 --json",
            "hotfire query --topic t --id 7F0000010000001E",
            "hotfire bench produce --connections 1 --in-flight 1 --size 10 --duration 5s --json",
            "hotfire bench consume --count 1000",
            "hotfire config",
            "hotfire store check dir --live --json --index-slots 16",
            "hotfire store dump dir --topic t --queue 0 --from 5 --to 9 --count 3 --json",
            "hotfire store dump dir --offset 4096",
            "hotfire store repair dir --yes",
        ] {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for line in [
            "hotfire produce",
            "hotfire consume --topic t --from yesterday",
            "hotfire query --topic t",
            "hotfire query --topic t --key k --id i",
            "hotfire query --topic t --key k --max 65",
            "hotfire bench produce --connections 0",
            "hotfire bench produce --duration 5",
            "hotfire standalone --lisen a:1",
            "hotfire store dump dir --queue 0",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "5", "s", "0s", "5 s", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
