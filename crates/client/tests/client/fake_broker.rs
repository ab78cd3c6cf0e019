//! A broker with queues in memory that misbehaves as the test wants.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use message::record::{Fields, body_crc};
use message::{PhysicalOffset, QueueOffset, SysFlag, batch};
use protocol::body::{GetConsumerListByGroupResponseBody, HeartbeatData};
use protocol::header::{
    GetConsumerListByGroupRequestHeader, GetMaxOffsetRequestHeader, GetMaxOffsetResponseHeader,
    NotifyConsumerIdsChangedRequestHeader, PullMessageRequestHeader, PullMessageResponseHeader,
    QueryConsumerOffsetRequestHeader, SendMessageRequestHeader, SendMessageResponseHeader,
    UnregisterClientRequestHeader, UpdateConsumerOffsetRequestHeader,
};
use protocol::{CommandHeader, RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply, Service};
use runtime::{Boxed, Runtime};

/// What the broker does with the next send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Script {
    /// Refuses it.
    Refuse(ResponseCode),
    /// Stores it and says nothing.
    StoreSilently,
    /// Says nothing, and does not store it.
    Ignore,
}

pub(crate) struct FakeBroker {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) queues: u32,
    runtime: Runtime,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// What to do with the next sends; when empty, they are stored.
    pub(crate) script: VecDeque<Script>,
    /// Records per queue.
    pub(crate) log: BTreeMap<u32, Vec<Bytes>>,
    /// What was cut off the front of each queue.
    pub(crate) min: BTreeMap<u32, u64>,
    /// Group → members.
    members: BTreeMap<String, BTreeMap<String, Connection>>,
    /// (group, queue) → offset.
    pub(crate) offsets: BTreeMap<(String, u32), u64>,
    /// Every commit, as it came.
    pub(crate) commits: Vec<(u32, u64)>,
    /// Headers of all sends.
    pub(crate) sends: Vec<SendMessageRequestHeader>,
    /// Heartbeats taken.
    pub(crate) heartbeats: u32,
    /// Pulls answered.
    pub(crate) pulls: u32,
}

impl FakeBroker {
    pub(crate) fn new(name: &str, address: &str, queues: u32, runtime: Runtime) -> Self {
        let state = Arc::default();
        Self { name: name.into(), address: address.into(), queues, runtime, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Messages of the queue, also those that were cut off.
    pub(crate) fn count(&self, queue_id: u32) -> usize {
        self.state().log.get(&queue_id).map_or(0, Vec::len)
    }

    fn answer(&self, from: &Connection, request: &RemotingCommand) -> Option<RemotingCommand> {
        let ok = RemotingCommand::response_to(request, ResponseCode::SUCCESS);
        let mut state = self.state();
        match request.request_code() {
            RequestCode::SEND_MESSAGE_V2 | RequestCode::SEND_BATCH_MESSAGE => {
                self.send(&mut state, request)
            }
            RequestCode::HEART_BEAT => {
                state.heartbeat(from, &HeartbeatData::decode(&request.body).expect("a heartbeat"));
                Some(ok)
            }
            RequestCode::UNREGISTER_CLIENT => {
                let header: UnregisterClientRequestHeader = head(request);
                state.leave(&header.consumer_group.unwrap_or_default(), &header.client_id);
                Some(ok)
            }
            RequestCode::GET_CONSUMER_LIST_BY_GROUP => {
                let header: GetConsumerListByGroupRequestHeader = head(request);
                let members = state.members.get(&header.consumer_group);
                let Some(members) = members.filter(|members| !members.is_empty()) else {
                    let code = ResponseCode::SYSTEM_ERROR;
                    return Some(RemotingCommand::response_to(request, code));
                };
                let consumer_id_list = members.keys().cloned().collect();
                let body = GetConsumerListByGroupResponseBody { consumer_id_list };
                Some(ok.with_body(body.encode()))
            }
            RequestCode::QUERY_CONSUMER_OFFSET => {
                let header: QueryConsumerOffsetRequestHeader = head(request);
                let key = (header.consumer_group, header.queue_id as u32);
                Some(match state.offsets.get(&key) {
                    Some(offset) => with_offset(ok, *offset),
                    None => RemotingCommand::response_to(request, ResponseCode::QUERY_NOT_FOUND),
                })
            }
            RequestCode::UPDATE_CONSUMER_OFFSET => {
                let header: UpdateConsumerOffsetRequestHeader = head(request);
                let (queue_id, offset) = (header.queue_id as u32, header.commit_offset as u64);
                state.offsets.insert((header.consumer_group, queue_id), offset);
                state.commits.push((queue_id, offset));
                Some(ok)
            }
            RequestCode::GET_MAX_OFFSET => {
                let header: GetMaxOffsetRequestHeader = head(request);
                Some(with_offset(ok, state.max(header.queue_id as u32)))
            }
            RequestCode::GET_MIN_OFFSET => {
                let header: GetMaxOffsetRequestHeader = head(request);
                Some(with_offset(ok, state.min(header.queue_id as u32)))
            }
            code => panic!("the client asked for {code}"),
        }
    }

    fn send(&self, state: &mut State, request: &RemotingCommand) -> Option<RemotingCommand> {
        let header: SendMessageRequestHeader = head(request);
        state.sends.push(header.clone());
        let script = state.script.pop_front();
        match script {
            Some(Script::Refuse(code)) => {
                return Some(
                    RemotingCommand::response_to(request, code).with_remark("as scripted"),
                );
            }
            Some(Script::Ignore) => return None,
            Some(Script::StoreSilently) | None => {}
        }
        let queue_id = header.queue_id as u32;
        let first = state.max(queue_id);
        let mut ids = Vec::new();
        if header.batch {
            for item in batch::iter(&request.body) {
                let item = item.expect("a batch");
                let properties = String::from_utf8_lossy(item.properties).into_owned();
                ids.push(self.store(state, &header, item.body, &properties));
            }
        } else {
            ids.push(self.store(state, &header, &request.body, &header.properties));
        }
        let answer = SendMessageResponseHeader {
            msg_id: ids.join(","),
            queue_id: header.queue_id,
            queue_offset: first as i64,
            ..SendMessageResponseHeader::default()
        };
        let stored = RemotingCommand::response_to(request, ResponseCode::SUCCESS);
        script.is_none().then(|| stored.with_header(&answer))
    }

    fn store(
        &self,
        state: &mut State,
        header: &SendMessageRequestHeader,
        body: &[u8],
        properties: &str,
    ) -> String {
        let queue_id = header.queue_id as u32;
        let host = self.address.parse().expect("ip:port");
        let fields = Fields {
            queue_id,
            flag: header.flag,
            queue_offset: QueueOffset(state.max(queue_id)),
            physical_offset: PhysicalOffset(0),
            sys_flag: SysFlag(0),
            born_timestamp: header.born_timestamp as u64,
            born_host: host,
            store_timestamp: self.runtime.clock.now_ms(),
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: PhysicalOffset(0),
            body_crc: body_crc(body),
            body,
            topic: &header.topic,
            properties: &[properties.as_bytes()],
        };
        state.log.entry(queue_id).or_default().push(fields.encode().into());
        message::message_id::encode(host, PhysicalOffset(0))
    }
}

impl State {
    fn max(&self, queue_id: u32) -> u64 {
        self.log.get(&queue_id).map_or(0, |log| log.len() as u64)
    }

    fn min(&self, queue_id: u32) -> u64 {
        self.min.get(&queue_id).copied().unwrap_or(0)
    }

    fn heartbeat(&mut self, from: &Connection, data: &HeartbeatData) {
        self.heartbeats += 1;
        for consumer in &data.consumer_data_set {
            let members = self.members.entry(consumer.group_name.clone()).or_default();
            if members.insert(data.client_id.clone(), from.clone()).is_none() {
                self.notify(&consumer.group_name);
            }
        }
    }

    fn leave(&mut self, group: &str, client_id: &str) {
        if self.members.get_mut(group).and_then(|at| at.remove(client_id)).is_some() {
            self.notify(group);
        }
    }

    fn notify(&self, group: &str) {
        let header = NotifyConsumerIdsChangedRequestHeader { consumer_group: group.to_owned() };
        for connection in self.members[group].values() {
            let code = RequestCode::NOTIFY_CONSUMER_IDS_CHANGED;
            let _ = connection.oneway(RemotingCommand::request(code, &header).into_oneway());
        }
    }

    /// What a pull finds; `None` when it may be held.
    fn pull(&mut self, header: &PullMessageRequestHeader) -> Option<Found> {
        let (queue_id, from) = (header.queue_id as u32, header.queue_offset as u64);
        let (min, max) = (self.min(queue_id), self.max(queue_id));
        let moved = |to| Some((ResponseCode::PULL_OFFSET_MOVED, to, Bytes::new()));
        let found = if from < min {
            moved(min)
        } else if from > max {
            moved(max)
        } else if from == max {
            None
        } else {
            let end = max.min(from + header.max_msg_nums as u64);
            let records = self.log[&queue_id][from as usize..end as usize].concat();
            Some((ResponseCode::SUCCESS, end, records.into()))
        };
        found.map(|(code, next, body)| Found { code, next, min, max, body })
    }
}

struct Found {
    code: ResponseCode,
    next: u64,
    min: u64,
    max: u64,
    body: Bytes,
}

fn head<H: CommandHeader>(request: &RemotingCommand) -> H {
    request.header().expect("a header as the protocol says")
}

fn with_offset(ok: RemotingCommand, offset: u64) -> RemotingCommand {
    ok.with_header(&GetMaxOffsetResponseHeader { offset: offset as i64 })
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service for FakeBroker {
    fn serve(&self, from: Connection, request: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        if request.request_code() != RequestCode::PULL_MESSAGE {
            let answer = self.answer(&from, &request);
            return Box::pin(async move { answer.map(Reply::from) });
        }
        let header: PullMessageRequestHeader = head(&request);
        let (state, clock) = (self.state.clone(), self.runtime.clock.clone());
        let hold = Duration::from_millis(header.suspend_timeout_millis as u64);
        Box::pin(async move {
            let deadline = clock.monotonic() + hold;
            let found = loop {
                let found = locked(&state).pull(&header);
                if found.is_some() || clock.monotonic() >= deadline {
                    break found;
                }
                clock.sleep(Duration::from_millis(20)).await;
            };
            let at = header.queue_offset as u64;
            let found = found.unwrap_or(Found {
                code: ResponseCode::PULL_NOT_FOUND,
                next: at,
                min: locked(&state).min(header.queue_id as u32),
                max: at,
                body: Bytes::new(),
            });
            locked(&state).pulls += 1;
            let answer = PullMessageResponseHeader {
                suggest_which_broker_id: 0,
                next_begin_offset: found.next as i64,
                min_offset: found.min as i64,
                max_offset: found.max as i64,
            };
            let command = RemotingCommand::response_to(&request, found.code).with_header(&answer);
            Some(command.with_body(found.body).into())
        })
    }

    fn closed(&self, connection: &Connection) {
        let mut state = self.state();
        let groups: Vec<String> = state.members.keys().cloned().collect();
        for group in groups {
            let members = &state.members[&group];
            let gone: Vec<String> = members
                .iter()
                .filter(|(_, at)| at.id() == connection.id())
                .map(|(id, _)| id.clone())
                .collect();
            gone.iter().for_each(|id| state.leave(&group, id));
        }
    }
}
