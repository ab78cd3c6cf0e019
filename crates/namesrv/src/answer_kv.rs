//! The key-value configuration over the wire (100, 101, 102, 219).

use std::io;

use protocol::header::{
    DeleteKvConfigRequestHeader, GetKvConfigRequestHeader, GetKvConfigResponseHeader,
    GetKvListByNamespaceRequestHeader, PutKvConfigRequestHeader,
};
use protocol::{RemotingCommand, ResponseCode};

use crate::refusal::Refusal;
use crate::state::State;

fn success(request: &RemotingCommand) -> RemotingCommand {
    RemotingCommand::response_to(request, ResponseCode::SUCCESS)
}

fn disk_refusal(error: io::Error) -> Refusal {
    let remark = format!("the key could not be made durable: {error}; repair the disk and retry");
    Refusal::new(ResponseCode::SYSTEM_ERROR, remark)
}

/// 100.
pub(crate) async fn put(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let PutKvConfigRequestHeader { namespace, key, value } = request.header()?;
    state.kv.change(|kv| kv.put(namespace, key, value)).await.map_err(disk_refusal)?;
    Ok(success(request))
}

/// 102. A key that is not there is deleted as well.
pub(crate) async fn delete(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let DeleteKvConfigRequestHeader { namespace, key } = request.header()?;
    if state.kv.current().get(&namespace, &key).is_some() {
        state.kv.change(|kv| kv.delete(&namespace, &key)).await.map_err(disk_refusal)?;
    }
    Ok(success(request))
}

/// 101.
pub(crate) fn get(state: &State, request: &RemotingCommand) -> Result<RemotingCommand, Refusal> {
    let GetKvConfigRequestHeader { namespace, key } = request.header()?;
    let kv = state.kv.current();
    let Some(value) = kv.get(&namespace, &key) else {
        let remark = format!("No config item, Namespace: {namespace} Key: {key}");
        return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
    };
    Ok(success(request).with_header(&GetKvConfigResponseHeader { value: Some(value.to_owned()) }))
}

/// 219.
pub(crate) fn list(state: &State, request: &RemotingCommand) -> Result<RemotingCommand, Refusal> {
    let GetKvListByNamespaceRequestHeader { namespace } = request.header()?;
    let Some(table) = state.kv.current().namespace(&namespace) else {
        let remark = format!("No config item, Namespace: {namespace}");
        return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
    };
    Ok(success(request).with_body(table.encode()))
}
