//! The fast path: batches in, replies owed later, in the connection's own task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::ground::{ADDRESS, ECHO, FOR_EVER, ground, request};
use bytes::BytesMut;
use protocol::fast::peek;
use protocol::frame::{Frame, next_frame};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, FastPath, Handles, Outbox, Reply, Server, ServerConfig, Service};
use runtime::Boxed;
use runtime::sync::{Wait, Watermark};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Served on the fast path; owed once its position is flushed.
const FAST: RequestCode = RequestCode(9100);

/// What all fast paths of the server share.
#[derive(Default)]
struct Log {
    appended: AtomicUsize,
    flushed: Watermark,
    batches: Mutex<Vec<usize>>,
    ordinary: Mutex<Vec<RequestCode>>,
}

struct LogService(Arc<Log>);

impl Service for LogService {
    fn fast_path(&self, _: &Connection) -> Option<Box<dyn FastPath>> {
        Some(Box::new(Sends { log: self.0.clone(), owed: VecDeque::new() }))
    }

    fn serve(&self, _: Connection, request: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        self.0.ordinary.lock().unwrap().push(request.request_code());
        let answer = RemotingCommand::response_to(&request, ResponseCode::SUCCESS);
        Box::pin(async move { Some(answer.with_body(request.body).into()) })
    }
}

struct Sends {
    log: Arc<Log>,
    owed: VecDeque<(Wait, u64, i32)>,
}

impl FastPath for Sends {
    fn serve(&mut self, frames: &mut Vec<Frame>, _: &mut Outbox) {
        let before = self.owed.len();
        frames.retain(|frame| {
            let head = peek(frame).unwrap();
            if head.code != FAST.0 {
                return true;
            }
            let end = self.log.appended.fetch_add(1, Ordering::Relaxed) as u64 + 1;
            self.owed.push_back((self.log.flushed.wait(end), end, head.opaque));
            false
        });
        self.log.batches.lock().unwrap().push(self.owed.len() - before);
    }

    fn poll_owed(&mut self, context: &mut Context<'_>, out: &mut Outbox) -> Poll<()> {
        let mut any = false;
        while let Some((wait, end, opaque)) = self.owed.front_mut() {
            if std::pin::Pin::new(wait).poll(context).is_pending() {
                break;
            }
            let asked = request(FAST, "");
            let mut reply = RemotingCommand::response_to(&asked, ResponseCode::SUCCESS);
            reply.opaque = *opaque;
            reply.with_remark(end.to_string()).encode(out.buffer());
            self.owed.pop_front();
            any = true;
        }
        if any { Poll::Ready(()) } else { Poll::Pending }
    }

    fn unanswered(&self) -> usize {
        self.owed.len()
    }
}

async fn replies(stream: &mut runtime::Stream, count: usize) -> Vec<RemotingCommand> {
    let mut back = BytesMut::new();
    let mut replies = Vec::new();
    while replies.len() < count {
        assert_ne!(stream.read_buf(&mut back).await.unwrap(), 0, "after {}", replies.len());
        while let Some(frame) = next_frame(&mut back).unwrap() {
            replies.push(frame.decode().unwrap());
        }
    }
    replies
}

fn frames(code: RequestCode, opaques: std::ops::Range<i32>) -> BytesMut {
    let mut bytes = BytesMut::new();
    for opaque in opaques {
        let mut request = request(code, "body");
        request.opaque = opaque;
        request.encode(&mut bytes);
    }
    bytes
}

#[test]
fn replies_leave_when_owed_and_in_the_order_of_the_log() {
    for seed in 0..20 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let log = Arc::new(Log::default());
            let handles = Handles::from(&ground.server_runtime());
            let service = Arc::new(LogService(log.clone()));
            let config = ServerConfig::default();
            let _server = Server::start(handles, "0.0.0.0:10911", service, config).await.unwrap();
            let net = ground.client_runtime().net;
            let mut stream = net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
            stream.write_all(&frames(FAST, 0..500)).await.unwrap();
            stream.write_all(&frames(ECHO, 500..501)).await.unwrap();
            // The ordinary request overtakes: nothing is flushed yet.
            let first = replies(&mut stream, 1).await;
            assert_eq!(first[0].opaque, 500);
            assert_eq!(*log.ordinary.lock().unwrap(), [ECHO]);
            assert_eq!(log.appended.load(Ordering::Relaxed), 500);
            let batches = log.batches.lock().unwrap().clone();
            assert!(batches.iter().any(|size| *size > 10), "no batch of many: {batches:?}");
            log.flushed.raise_to(200);
            let flushed = replies(&mut stream, 200).await;
            let opaques: Vec<_> = flushed.iter().map(|reply| reply.opaque).collect();
            assert_eq!(opaques, (0..200).collect::<Vec<_>>());
            let nothing = Duration::from_secs(5);
            let clock = ground.client_runtime().clock;
            assert!(clock.timeout(nothing, replies(&mut stream, 1)).await.is_err());
            log.flushed.raise_to(500);
            let rest = replies(&mut stream, 300).await;
            assert_eq!(rest.last().unwrap().remark.as_deref(), Some("500"));
        });
    }
}

#[test]
fn too_many_unanswered_stop_the_reading_until_they_are_answered() {
    let ground = ground(1);
    ground.world.block_on(async {
        let log = Arc::new(Log::default());
        let handles = Handles::from(&ground.server_runtime());
        let service = Arc::new(LogService(log.clone()));
        let config =
            ServerConfig { unanswered_max: 100, read_bytes_max: 4 << 10, ..Default::default() };
        let _server = Server::start(handles, "0.0.0.0:10911", service, config).await.unwrap();
        let net = ground.client_runtime().net;
        let mut stream = net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
        let bytes = frames(FAST, 0..10_000);
        let clock = ground.client_runtime().clock;
        let written = clock.timeout(Duration::from_secs(60), stream.write_all(&bytes)).await;
        assert!(written.is_err(), "the windows never filled");
        let appended = log.appended.load(Ordering::Relaxed);
        assert!(appended > 100 && appended < 200, "{appended} were taken in");
        log.flushed.raise_to(u64::MAX);
        let answered = replies(&mut stream, appended).await;
        assert_eq!(answered.len(), appended);
        ground.world.sleep(Duration::from_secs(5)).await;
        assert!(log.appended.load(Ordering::Relaxed) > appended, "the reading went on");
    });
}

#[test]
fn shutdown_waits_for_what_the_fast_path_owes() {
    let ground = ground(1);
    ground.world.block_on(async {
        let log = Arc::new(Log::default());
        let handles = Handles::from(&ground.server_runtime());
        let service = Arc::new(LogService(log.clone()));
        let server = Server::start(handles, "0.0.0.0:10911", service, ServerConfig::default());
        let server = Arc::new(server.await.unwrap());
        let client = ground.client();
        let connection = client.connection(ADDRESS).await.unwrap();
        let (sender, answered) = tokio::sync::oneshot::channel();
        ground.client_runtime().tasks.detach("ask", async move {
            let _ = sender.send(connection.request(request(FAST, ""), FOR_EVER).await);
        });
        ground.world.sleep(Duration::from_secs(1)).await;
        let (stopping, tasks) = (server.clone(), ground.server_runtime().tasks);
        let stopped = tasks.spawn("stop", async move { stopping.shutdown().await });
        ground.world.sleep(Duration::from_secs(1)).await;
        assert!(!stopped.is_done(), "it still owes an answer");
        log.flushed.raise_to(1);
        stopped.join().await;
        assert_eq!(answered.await.unwrap().unwrap().remark.as_deref(), Some("1"));
    });
}

/// A client that writes many requests at once and reads their answers, all in the connection's
/// task.
#[derive(Default)]
struct Pipelined {
    to_ask: i32,
    answered: Arc<Mutex<Vec<i32>>>,
}

struct PipelinedService(Arc<Mutex<Vec<i32>>>);

impl Service for PipelinedService {
    fn fast_path(&self, _: &Connection) -> Option<Box<dyn FastPath>> {
        Some(Box::new(Pipelined { to_ask: 1_000, answered: self.0.clone() }))
    }

    fn serve(&self, _: Connection, _: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        Box::pin(std::future::ready(None))
    }
}

impl FastPath for Pipelined {
    fn serve(&mut self, _: &mut Vec<Frame>, _: &mut Outbox) {}

    fn poll_owed(&mut self, _: &mut Context<'_>, out: &mut Outbox) -> Poll<()> {
        if self.to_ask == 0 {
            return Poll::Pending;
        }
        // Below those that the connection gives out.
        out.buffer().extend_from_slice(&frames(ECHO, -self.to_ask..-self.to_ask + 10));
        self.to_ask -= 10;
        Poll::Ready(())
    }

    fn unanswered(&self) -> usize {
        0
    }

    fn answers(&mut self, frames: &mut Vec<Frame>) {
        frames.retain(|frame| {
            let opaque = peek(frame).unwrap().opaque;
            if opaque < 0 {
                self.answered.lock().unwrap().push(opaque);
            }
            opaque >= 0
        });
    }
}

#[test]
fn a_client_pipelines_beside_ordinary_requests_on_one_connection() {
    for seed in 0..10 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _server = ground.server(ServerConfig::default()).await;
            let answered: Arc<Mutex<Vec<i32>>> = Arc::default();
            let service: Arc<dyn Service> = Arc::new(PipelinedService(answered.clone()));
            let handles = Handles::from(&ground.client_runtime());
            let client = remoting::Client::new(handles, Some(service), Default::default());
            let answer = client.request(ADDRESS, request(ECHO, "mine"), FOR_EVER).await.unwrap();
            assert_eq!(answer.body, "mine");
            ground.world.sleep(Duration::from_secs(30)).await;
            let mut answered = answered.lock().unwrap().clone();
            answered.sort_unstable();
            assert_eq!(answered, (-1_000..0).collect::<Vec<_>>(), "seed {seed}");
        });
    }
}
