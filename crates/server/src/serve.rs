//! The servers: start, tell where they are, wait for the end, drain, stop.

use std::io::Write;
use std::path::{Path, PathBuf};

use broker::{Broker, BrokerConfig};
use namesrv::{Namesrv, NamesrvConfig};
use runtime::Runtime;
use runtime::sync::{Either, race};
use runtime_tokio::{TokioRuntime, stop_requested};

use crate::broker_config::{Place, broker_config};
use crate::cli::{BrokerArgs, NamesrvArgs, StandaloneArgs};
use crate::config::{self, Role, Settings};
use crate::failure::Failure;
use crate::machine;
use crate::recovering::Recovering;

/// Where a name server and its broker keep their files when nobody says.
const DATA_DEFAULT: &str = "./hotfire-data";
/// Where a name server alone keeps its files when nobody says.
const NAMESRV_DATA_DEFAULT: &str = "./hotfire-namesrv";

/// A name server and a broker in this process.
pub(crate) async fn standalone(args: StandaloneArgs) -> Result<(), Failure> {
    let settings = load(Role::Broker, &args.config)?;
    let data = data_dir(args.data, &settings);
    let runtime = open(&data)?;
    let begin = runtime.clock.monotonic();
    let namesrv = NamesrvConfig { listen: args.namesrv, ..NamesrvConfig::default() };
    let namesrv = start_namesrv(&runtime, namesrv).await?;
    let address = namesrv.local_addr().to_string();
    let configured = settings.text("namesrvAddr");
    if !configured.is_empty() && configured != address {
        tracing::warn!("namesrvAddr={configured} has no effect: standalone brings its own");
    }
    let place = Place {
        listen: args.listen,
        host_default: "127.0.0.1",
        namesrv: vec![reachable(&address)],
    };
    let broker = match start_broker(&runtime, broker_config(&settings, place)?).await {
        Ok(broker) => broker,
        Err(failure) => {
            namesrv.shutdown().await;
            return Err(failure);
        }
    };
    let took = runtime.clock.monotonic().since(begin);
    announce(&[
        format!("hotfire {} is ready after {took:.1?}", env!("CARGO_PKG_VERSION")),
        format!("  name server  {address}"),
        format!("  broker       {}", broker.local_addr()),
        format!("  store        {}", data.display()),
        "Next, in another terminal:".to_owned(),
        next_command(&reachable(&address)),
    ]);
    let ended = until_the_end(&broker).await;
    let stopped = stop_broker(broker).await;
    namesrv.shutdown().await;
    ended.and(stopped)
}

/// A name server alone.
pub(crate) async fn namesrv(args: NamesrvArgs) -> Result<(), Failure> {
    let settings = load(Role::Namesrv, &args.config)?;
    let (root, kv_config_path) = kv_config_place(args.data, &settings);
    let runtime = open(&root)?;
    let port = settings.number("listenPort");
    let namesrv = start_namesrv(
        &runtime,
        NamesrvConfig {
            listen: args.listen.unwrap_or_else(|| format!("0.0.0.0:{port}")),
            kv_config_path,
            order_message_enable: settings.flag("orderMessageEnable"),
            ..NamesrvConfig::default()
        },
    )
    .await?;
    let address = namesrv.local_addr().to_string();
    announce(&[
        format!("name server  {address}"),
        "Next, in another terminal:".to_owned(),
        format!("  {} broker -n {}", program(), reachable(&address)),
    ]);
    let signal = stop_signal().await?;
    tracing::info!(signal, "stopping");
    namesrv.shutdown().await;
    Ok(())
}

/// A broker alone.
pub(crate) async fn broker(args: BrokerArgs) -> Result<(), Failure> {
    let settings = load(Role::Broker, &args.config)?;
    let namesrv = namesrv_addresses(args.namesrv, &settings.text("namesrvAddr"));
    if namesrv.is_empty() {
        return Err(Failure::new("a broker needs at least one name server")
            .remedy("give -n HOST:PORT, or run `hotfire standalone`, which brings its own"));
    }
    let data = data_dir(args.data, &settings);
    let place = Place { listen: args.listen, host_default: "0.0.0.0", namesrv: namesrv.clone() };
    let config = broker_config(&settings, place)?;
    let runtime = open(&data)?;
    let broker = start_broker(&runtime, config).await?;
    announce(&[
        format!("broker        {}", broker.local_addr()),
        format!("  advertised  {}", broker.advertised_addr()),
        format!("  registers   {}", namesrv.join(";")),
        format!("  store       {}", data.display()),
        "Next, in another terminal:".to_owned(),
        next_command(&namesrv.join(";")),
    ]);
    let ended = until_the_end(&broker).await;
    ended.and(stop_broker(broker).await)
}

/// The name servers of `-n`, else of the configuration, else of the environment.
pub(crate) fn namesrv_addresses(flag: Option<String>, configured: &str) -> Vec<String> {
    let text = flag
        .or_else(|| Some(configured.to_owned()).filter(|text| !text.is_empty()))
        .or_else(|| std::env::var("NAMESRV_ADDR").ok())
        .unwrap_or_default();
    let addresses = text.split(';').map(str::trim).filter(|address| !address.is_empty());
    addresses.map(str::to_owned).collect()
}

fn load(role: Role, args: &crate::cli::ConfigArgs) -> Result<Settings, Failure> {
    let settings = config::load(role, args.file.as_deref(), &args.set)?;
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(settings)
}

fn data_dir(flag: Option<PathBuf>, settings: &Settings) -> PathBuf {
    flag.unwrap_or_else(|| match settings.text("storePathRootDir") {
        root if root.is_empty() => PathBuf::from(DATA_DEFAULT),
        root => PathBuf::from(root),
    })
}

/// The root of a name server's disk, and below it the file of its key-value configuration.
fn kv_config_place(flag: Option<PathBuf>, settings: &Settings) -> (PathBuf, String) {
    let configured = PathBuf::from(settings.text("kvConfigPath"));
    match (flag, configured.parent(), configured.file_name()) {
        (None, Some(parent), Some(file)) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            (parent.to_owned(), file.to_string_lossy().into_owned())
        }
        (flag, ..) => {
            let root = flag.unwrap_or_else(|| PathBuf::from(NAMESRV_DATA_DEFAULT));
            (root, "kvConfig.json".to_owned())
        }
    }
}

fn open(root: &Path) -> Result<Runtime, Failure> {
    TokioRuntime::open(root).map_err(|error| {
        Failure::from_error("cannot use the data directory", &error)
            .remedy("give a directory that this user may write to, with --data DIR")
    })
}

async fn start_namesrv(runtime: &Runtime, config: NamesrvConfig) -> Result<Namesrv, Failure> {
    Namesrv::start(runtime, config).await.map_err(|error| {
        Failure::from_error("the name server did not start", &error)
            .remedy("free the address, or give another one")
    })
}

async fn start_broker(runtime: &Runtime, mut config: BrokerConfig) -> Result<Broker, Failure> {
    let (recovering, watch) = Recovering::watch(runtime);
    config.store.recovery = watch;
    let started = Broker::start(runtime, config).await;
    recovering.finish().await;
    started.map_err(|error| Failure::from_error("the broker did not start", &error))
}

/// Waits for the operator, or for a broker that cannot go on.
async fn until_the_end(broker: &Broker) -> Result<(), Failure> {
    match race(broker.failed(), stop_signal()).await {
        Either::Left(reason) => {
            tracing::error!(reason, "the broker failed");
            Err(Failure::new("the broker failed and stopped")
                .because(reason)
                .remedy("check the disk, then start again: it recovers what it acknowledged"))
        }
        Either::Right(signal) => {
            tracing::info!(signal = signal?, "stopping");
            Ok(())
        }
    }
}

async fn stop_signal() -> Result<&'static str, Failure> {
    stop_requested().await.map_err(|error| Failure::from_error("cannot wait for signals", &error))
}

async fn stop_broker(broker: Broker) -> Result<(), Failure> {
    broker
        .shutdown()
        .await
        .map_err(|error| Failure::from_error("the broker did not stop cleanly", &error))
}

/// An address to dial for one that is listened on.
fn reachable(address: &str) -> String {
    match address.strip_prefix("0.0.0.0:").or_else(|| address.strip_prefix("[::]:")) {
        Some(port) => format!("{}:{port}", machine::address()),
        None => address.to_owned(),
    }
}

/// The first thing to try with a cluster.
fn next_command(namesrv: &str) -> String {
    let program = program();
    let flag = match namesrv {
        "127.0.0.1:9876" => String::new(),
        other => format!(" -n '{other}'"),
    };
    format!(
        "  echo hello | {program} produce{flag} --topic demo\n  \
         {program} consume{flag} --topic demo --from first --max 1"
    )
}

/// This program as it was called.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "hotfire".to_owned())
}

/// Tells the operator on the standard output, in one piece.
fn announce(lines: &[String]) {
    let text = lines.join("\n") + "\n";
    let mut out = std::io::stdout().lock();
    // A server goes on when nobody reads what it says.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_separated_by_semicolons() {
        let flag = Some("a:1; b:2;".to_owned());
        assert_eq!(namesrv_addresses(flag, "c:3"), ["a:1", "b:2"]);
        assert_eq!(namesrv_addresses(None, "c:3"), ["c:3"]);
    }

    #[test]
    fn the_data_directory_is_the_flag_then_the_key_then_the_default() {
        let none = config::load(Role::Broker, None, &[]).unwrap();
        let set = ["storePathRootDir=/srv/store".to_owned()];
        let key = config::load(Role::Broker, None, &set).unwrap();
        assert_eq!(data_dir(None, &none), Path::new(DATA_DEFAULT));
        assert_eq!(data_dir(None, &key), Path::new("/srv/store"));
        assert_eq!(data_dir(Some("d".into()), &key), Path::new("d"));
    }

    #[test]
    fn a_name_server_keeps_its_table_where_the_key_says() {
        let set = ["kvConfigPath=/home/me/namesrv/kv.json".to_owned()];
        let key = config::load(Role::Namesrv, None, &set).unwrap();
        let place = kv_config_place(None, &key);
        assert_eq!(place, ("/home/me/namesrv".into(), "kv.json".to_owned()));
        let place = kv_config_place(Some("d".into()), &key);
        assert_eq!(place, ("d".into(), "kvConfig.json".to_owned()));
    }
}
