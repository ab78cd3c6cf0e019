//! Keys of the name server (`NamesrvConfig`).

use crate::config::key::Key;

/// In the order of the reference.
pub(crate) const KEYS: &[Key] = &[
    Key::number("listenPort", "9876").within(0, 65535).acts(),
    Key::text("rocketmqHome", "").moot(),
    Key::text("kvConfigPath", "").acts(),
    Key::text("configStorePath", ""),
    Key::text("productEnvName", "center"),
    Key::flag("clusterTest", "false"),
    Key::flag("orderMessageEnable", "false").acts(),
    Key::flag("returnOrderTopicConfigToBroker", "true"),
];
