//! What every opening of the doors must do. Both twins run it.
