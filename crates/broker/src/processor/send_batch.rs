//! SEND_BATCH_MESSAGE (320): many messages of one topic, one queue, consecutive offsets.

use message::batch::{self, BatchItem};
use message::topic;
use protocol::ResponseCode;

use super::send::Send;
use crate::put::{self, Put, Stored};
use crate::refusal::Refusal;
use crate::state::State;
use crate::{admission, properties};

/// Explodes the body and stores each message of it, or none.
pub(crate) async fn store(state: &State, send: &Send<'_>) -> Result<Stored, Refusal> {
    let request = send.header.properties.as_bytes();
    admission::check_size(&state.config, send.body.len(), request.len())?;
    if topic::is_retry(&send.header.topic) {
        return Err(illegal("a batch cannot go to a retry topic"));
    }
    let items: Vec<BatchItem<'_>> = batch::iter(send.body)
        .collect::<Result<_, _>>()
        .map_err(|error| illegal(&error.to_string()))?;
    if items.is_empty() {
        return Err(illegal("the batch holds no message"));
    }
    let properties = stored_properties(state, send, &items)?;
    let messages: Vec<Put<'_>> = items
        .iter()
        .zip(&properties)
        .map(|(item, properties)| send.put(item.flag, item.body, properties))
        .collect();
    put::put(state, &messages, properties::asked(request).no_wait).await
}

/// The properties of each message, in order.
fn stored_properties(
    state: &State,
    send: &Send<'_>,
    items: &[BatchItem<'_>],
) -> Result<Vec<Vec<u8>>, Refusal> {
    let request = send.header.properties.as_bytes();
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        admission::check_kind(properties::asked(item.properties), send.header.sys_flag)?;
        let mut stored = Vec::with_capacity(item.properties.len() + request.len() + 32);
        properties::store_batched(item.properties, request, &state.config.cluster, &mut stored);
        admission::check_size(&state.config, item.body.len(), stored.len())?;
        all.push(stored);
    }
    Ok(all)
}

fn illegal(cause: &str) -> Refusal {
    Refusal::new(ResponseCode::MESSAGE_ILLEGAL, format!("the batch is illegal: {cause}"))
}
