//! Telling every name server, each on its own, that this broker lives and what it serves.

use std::sync::Arc;
use std::time::Duration;

use protocol::body::RegisterBrokerBody;
use protocol::header::{RegisterBrokerRequestHeader, UnregisterBrokerRequestHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Client, Connection, RemotingError};
use runtime::sync::{Either, race};

use crate::state::State;

/// The first pause after a registration that failed; it doubles up to the ordinary interval.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How long leaving may take for one name server.
const UNREGISTER_TIMEOUT: Duration = Duration::from_secs(1);

/// Registers with the name server `number` for as long as the broker lives: every 30 s, at once
/// when a topic changed, and at once when the connection broke, because a name server that
/// restarted knows nothing.
pub(crate) async fn keep_registered(state: Arc<State>, client: Client, number: usize) {
    let address = &state.config.namesrv[number];
    let interval = Duration::from_millis(state.config.register_interval_ms);
    let mut retry = RETRY_PAUSE;
    let mut is_stranger = state.tables.are_new();
    loop {
        let changes = state.tables.topics_changed().reached();
        let registering = async {
            if is_stranger {
                take_leave(&state, &client, address).await?;
            }
            register(&state, &client, address).await
        };
        let Either::Right(registered) = race(state.draining.stopped(), registering).await else {
            return;
        };
        let pause = match registered {
            Ok(connection) => {
                state.registered[number].raise_to(changes);
                is_stranger = false;
                retry = RETRY_PAUSE;
                let lost = race(connection.closed(), state.clock.sleep(interval));
                let changed = race(state.tables.topics_changed().wait(changes + 1), lost);
                race(state.draining.stopped(), changed).await;
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(namesrv = %address, %error, "not registered; trying again");
                let pause = retry.min(interval);
                retry *= 2;
                pause
            }
        };
        let wait = race(state.draining.stopped(), state.clock.sleep(pause)).await;
        if wait == Either::Left(()) || state.draining.is_stopped() {
            return;
        }
    }
}

/// Why a registration did not happen.
#[derive(Debug, thiserror::Error)]
enum RegisterError {
    #[error(transparent)]
    Remoting(#[from] RemotingError),
    #[error("refused with code {code}: {remark}")]
    Refused { code: ResponseCode, remark: String },
}

async fn register(
    state: &State,
    client: &Client,
    address: &str,
) -> Result<Connection, RegisterError> {
    let topics = state.tables.topics();
    let body = RegisterBrokerBody {
        filter_server_list: Vec::new(),
        topic_config_serialize_wrapper: topics.to_wrapper(),
    }
    .encode();
    let header = RegisterBrokerRequestHeader {
        broker_name: state.config.name.clone(),
        broker_addr: advertised(state),
        cluster_name: state.config.cluster.clone(),
        ha_server_addr: ha_address(state),
        broker_id: state.config.id,
        compressed: false,
        body_crc32: RegisterBrokerBody::crc32(&body),
        heartbeat_timeout_millis: None,
        enable_acting_master: None,
    };
    let request = RemotingCommand::request(RequestCode::REGISTER_BROKER, &header).with_body(body);
    let timeout = Duration::from_millis(state.config.register_timeout_ms);
    ask(client, address, request, timeout).await?;
    Ok(client.connection(address).await?)
}

/// Takes leave of one name server. A broker without a file of topics does so before it registers
/// for the first time, for whoever had its address, name and id before.
///
/// A registration takes no topic away, because it may carry only what changed. Scenario: 1. a
/// broker's disk is replaced, and its topics are gone; 2. one name server lives through that, and
/// keeps them; 3. another is started since, and has never heard of them; 4. members of a group ask
/// the one or the other, deal by two routes for ever, and a queue has two owners.
async fn take_leave(state: &State, client: &Client, address: &str) -> Result<(), RegisterError> {
    ask(client, address, leave(state), UNREGISTER_TIMEOUT).await
}

/// That this broker leaves.
fn leave(state: &State) -> RemotingCommand {
    let header = UnregisterBrokerRequestHeader {
        broker_name: state.config.name.clone(),
        broker_addr: advertised(state),
        cluster_name: state.config.cluster.clone(),
        broker_id: state.config.id,
    };
    RemotingCommand::request(RequestCode::UNREGISTER_BROKER, &header)
}

async fn ask(
    client: &Client,
    address: &str,
    request: RemotingCommand,
    timeout: Duration,
) -> Result<(), RegisterError> {
    let response = client.request(address, request, timeout).await?;
    if response.response_code() != ResponseCode::SUCCESS {
        let remark = response.remark.unwrap_or_default();
        return Err(RegisterError::Refused { code: ResponseCode(response.code), remark });
    }
    Ok(())
}

/// Tells every name server that this broker leaves, each within a bound. One that does not hear it
/// finds out by the closed connection.
pub(crate) async fn unregister(state: &Arc<State>, client: &Client, tasks: &runtime::Tasks) {
    let leaving: Vec<runtime::Task> = (0..state.config.namesrv.len())
        .map(|number| {
            let (state, client) = (state.clone(), client.clone());
            tasks.spawn("broker.unregister", async move {
                let address = &state.config.namesrv[number];
                if let Err(error) = take_leave(&state, &client, address).await {
                    tracing::info!(namesrv = %address, %error, "could not take leave");
                }
            })
        })
        .collect();
    for task in leaving {
        task.join().await;
    }
}

fn advertised(state: &State) -> String {
    state.advertised.get().map(ToString::to_string).unwrap_or_default()
}

/// Where slaves would replicate from: RocketMQ's convention is the port above.
fn ha_address(state: &State) -> String {
    state.advertised.get().map_or_else(String::new, |address| {
        let mut address = *address;
        address.set_port(address.port().wrapping_add(1));
        address.to_string()
    })
}
