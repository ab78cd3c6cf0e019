//! The ordinary path: one task per request, as many as the bounds allow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol::{RemotingCommand, RequestCode, ResponseCode, SerializeType};
use runtime::Tasks;

use crate::connection::Connection;
use crate::outbox::Outbox;
use crate::reply::Reply;
use crate::serve::Service;
use crate::shared::Shared;

/// The bit of `flag` that marks a response.
const RESPONSE_FLAG: i32 = 1;

/// Requests in flight over all connections of a server or client.
pub(crate) struct Gate {
    in_flight: AtomicUsize,
    in_flight_max: usize,
    /// Requests that were refused, ever.
    refused: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(in_flight_max: usize) -> Self {
        Self { in_flight: AtomicUsize::new(0), in_flight_max, refused: AtomicUsize::new(0) }
    }

    fn enter(&self) -> Result<(), usize> {
        let taken = self.in_flight.fetch_add(1, Ordering::Relaxed);
        if taken >= self.in_flight_max {
            self.leave();
            return Err(taken);
        }
        Ok(())
    }

    /// Counts a refusal; whether to log it. The 1st, 2nd, 4th, 8th … are: a flood of requests must
    /// not become a flood of lines.
    fn refuse(&self) -> bool {
        (self.refused.fetch_add(1, Ordering::Relaxed) + 1).is_power_of_two()
    }

    fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The ordinary path of one connection.
pub(crate) struct Ordinary {
    pub(crate) connection: Connection,
    pub(crate) service: Arc<dyn Service>,
    pub(crate) tasks: Tasks,
    pub(crate) gate: Arc<Gate>,
}

impl Ordinary {
    /// Starts the task of a request, or answers `SYSTEM_BUSY` into `out`.
    pub(crate) fn start(&self, request: RemotingCommand, out: &mut Outbox) {
        match self.admit() {
            Ok(place) => {
                let (service, connection) = (self.service.clone(), self.connection.clone());
                self.tasks.detach("request", async move {
                    let slip = Slip::of(&request);
                    let reply = service.serve(connection, request).await;
                    place.answer(&slip, reply);
                });
            }
            Err(remark) => {
                if self.gate.refuse() {
                    tracing::warn!(peer = %self.connection.peer_addr(), "{remark}");
                }
                if !request.is_oneway() {
                    let busy = RemotingCommand::response_to(&request, ResponseCode::SYSTEM_BUSY);
                    // A remark of some hundred bytes fits any frame.
                    let _ = out.push_command(&busy.with_remark(remark), Vec::new());
                }
            }
        }
    }

    fn admit(&self) -> Result<Place, String> {
        let shared = self.connection.shared();
        shared.enter().map_err(|taken| {
            format!(
                "[OVERLOAD]{taken} requests of this connection are being served, which is the \
                 bound; send fewer at a time or retry later"
            )
        })?;
        if let Err(taken) = self.gate.enter() {
            shared.leave();
            return Err(format!(
                "[OVERLOAD]{taken} requests are being served here, which is the bound; retry later"
            ));
        }
        Ok(Place { shared: shared.clone(), gate: self.gate.clone() })
    }
}

/// What of a request its answer must match.
struct Slip {
    code: i32,
    opaque: i32,
    oneway: bool,
    serialize_type: SerializeType,
}

impl Slip {
    fn of(request: &RemotingCommand) -> Self {
        Self {
            code: request.code,
            opaque: request.opaque,
            oneway: request.is_oneway(),
            serialize_type: request.serialize_type,
        }
    }

    fn put_on(&self, command: &mut RemotingCommand) {
        command.opaque = self.opaque;
        command.flag = RESPONSE_FLAG;
        command.serialize_type = self.serialize_type;
    }
}

/// A place on the ordinary path, given back however the task ends.
struct Place {
    shared: Arc<Shared>,
    gate: Arc<Gate>,
}

impl Place {
    fn answer(&self, slip: &Slip, reply: Option<Reply>) {
        let Some(mut reply) = reply.filter(|_| !slip.oneway) else { return };
        slip.put_on(&mut reply.command);
        let Err(too_large) = self.shared.answer(reply) else { return };
        tracing::warn!(peer = %self.shared.peer, code = slip.code, "{too_large}");
        let remark = format!("the answer cannot be sent: {too_large}");
        let request = RemotingCommand::request_without_header(RequestCode(slip.code));
        let mut failure = RemotingCommand::response_to(&request, ResponseCode::SYSTEM_ERROR);
        slip.put_on(&mut failure);
        // A remark of some hundred bytes fits any frame.
        let _ = self.shared.answer(failure.with_remark(remark).into());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.leave();
        self.shared.leave();
    }
}
