//! A request, served.
