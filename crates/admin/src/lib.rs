//! Ask and change a cluster over the wire. Filled by a later issue.
