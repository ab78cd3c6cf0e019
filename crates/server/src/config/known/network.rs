//! Keys of the network that both roles have (`NettyServerConfig`, `NettyClientConfig`).

use crate::config::key::Key;

/// In the order of the reference. Buffers stay the kernel's: fixed ones switch its tuning off.
pub(crate) const KEYS: &[Key] = &[
    Key::number("serverWorkerThreads", "8").moot(),
    Key::number("serverCallbackExecutorThreads", "0").moot(),
    Key::number("serverSelectorThreads", "3").moot(),
    Key::number("serverOnewaySemaphoreValue", "256").moot(),
    Key::number("serverAsyncSemaphoreValue", "64").moot(),
    Key::number("serverChannelMaxIdleTimeSeconds", "120"),
    Key::number("serverSocketSndBufSize", "0").moot(),
    Key::number("serverSocketRcvBufSize", "0").moot(),
    Key::number("serverSocketBacklog", "1024"),
    Key::number("writeBufferHighWaterMark", "0").moot(),
    Key::number("writeBufferLowWaterMark", "0").moot(),
    Key::flag("serverPooledByteBufAllocatorEnable", "true").moot(),
    Key::flag("useEpollNativeSelector", "false").moot(),
    Key::number("clientWorkerThreads", "4").moot(),
    Key::number("clientCallbackExecutorThreads", "").moot(),
    Key::number("clientOnewaySemaphoreValue", "65535").moot(),
    Key::number("clientAsyncSemaphoreValue", "65535").moot(),
    Key::number("connectTimeoutMillis", "3000"),
    Key::number("channelNotActiveInterval", "60000").moot(),
    Key::number("clientChannelMaxIdleTimeSeconds", "120"),
    Key::number("clientSocketSndBufSize", "0").moot(),
    Key::number("clientSocketRcvBufSize", "0").moot(),
    Key::flag("clientPooledByteBufAllocatorEnable", "false").moot(),
    Key::flag("clientCloseSocketIfTimeout", "false"),
    Key::flag("useTLS", "false").promise(),
];
