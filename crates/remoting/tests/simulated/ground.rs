//! What the tests stand on: a server node, a client node, and a service with a few tricks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{
    Client, ClientConfig, Connection, Handles, RemotingError, Reply, Server, ServerConfig, Service,
};
use runtime::sync::Stop;
use runtime::{Boxed, Runtime};
use sim::{Node, World};

/// Answers with the request's body and fields.
pub(crate) const ECHO: RequestCode = RequestCode(9001);
/// Is never answered while the test runs.
pub(crate) const NEVER: RequestCode = RequestCode(9002);
/// Is answered once [`Tricks::gate`] is open.
pub(crate) const GATED: RequestCode = RequestCode(9003);
/// Asks the asker the same thing and passes its answer on.
pub(crate) const BACK: RequestCode = RequestCode(9004);
/// Answers with as many slices of 16 KiB as the body says in decimal.
pub(crate) const SLICES: RequestCode = RequestCode(9005);

/// So long that whoever waits this long hangs.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(100_000);

pub(crate) const SLICE: usize = 16 << 10;

pub(crate) fn request(code: RequestCode, body: impl Into<Bytes>) -> RemotingCommand {
    RemotingCommand::request_without_header(code).with_body(body)
}

/// The service of the tests.
#[derive(Default)]
pub(crate) struct Tricks {
    pub(crate) gate: Stop,
    pub(crate) served: AtomicUsize,
    pub(crate) closed: AtomicUsize,
    pub(crate) connections: Mutex<Vec<Connection>>,
}

impl Service for Tricks {
    fn opened(&self, connection: &Connection) {
        self.connections.lock().unwrap().push(connection.clone());
    }

    fn serve(&self, on: Connection, request: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        self.served.fetch_add(1, Ordering::Relaxed);
        let gate = self.gate.clone();
        let answer = RemotingCommand::response_to(&request, ResponseCode::SUCCESS);
        Box::pin(async move {
            match request.request_code() {
                NEVER => std::future::pending().await,
                GATED => gate.stopped().await,
                BACK => {
                    let back = self::request(ECHO, request.body.clone());
                    let answer = on.request(back, FOR_EVER).await.expect("the asker is there");
                    return Some(answer.into());
                }
                SLICES => {
                    let count = std::str::from_utf8(&request.body).unwrap().parse().unwrap();
                    let slices = vec![Bytes::from(vec![5; SLICE]); count];
                    return Some(Reply::with_slices(answer, slices));
                }
                _ => {}
            }
            let mut answer = answer.with_body(request.body.clone());
            answer.ext_fields = request.ext_fields;
            Some(answer.into())
        })
    }

    fn closed(&self, _: &Connection) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Two nodes with a server on one of them.
pub(crate) struct Ground {
    pub(crate) world: World,
    pub(crate) server_node: Node,
    pub(crate) client_node: Node,
    pub(crate) service: Arc<Tricks>,
}

pub(crate) fn ground(seed: u64) -> Ground {
    let world = World::new(seed);
    let (server_node, client_node) = (world.node("server"), world.node("client"));
    Ground { world, server_node, client_node, service: Arc::default() }
}

impl Ground {
    pub(crate) fn server_runtime(&self) -> Runtime {
        self.world.runtime(&self.server_node)
    }

    pub(crate) fn client_runtime(&self) -> Runtime {
        self.world.runtime(&self.client_node)
    }

    pub(crate) async fn server(&self, config: ServerConfig) -> Server {
        let handles = Handles::from(&self.server_runtime());
        Server::start(handles, "0.0.0.0:10911", self.service.clone(), config).await.unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        let answers: Arc<dyn Service> = Arc::new(Tricks::default());
        let handles = Handles::from(&self.client_runtime());
        Client::new(handles, Some(answers), ClientConfig::default())
    }

    /// Starts so many requests at once; their outcomes come back in their order.
    pub(crate) async fn all_at_once(
        &self,
        client: &Client,
        requests: Vec<RemotingCommand>,
    ) -> Vec<Result<RemotingCommand, RemotingError>> {
        let tasks = self.client_runtime().tasks;
        let receivers: Vec<_> = requests
            .into_iter()
            .map(|request| {
                let (sender, receiver) = tokio::sync::oneshot::channel();
                let client = client.clone();
                tasks.detach("ask", async move {
                    let _ = sender.send(client.request(ADDRESS, request, FOR_EVER).await);
                });
                receiver
            })
            .collect();
        let mut outcomes = Vec::new();
        for receiver in receivers {
            outcomes.push(receiver.await.expect("the asking task ends with an outcome"));
        }
        outcomes
    }
}

pub(crate) const ADDRESS: &str = "server:10911";
