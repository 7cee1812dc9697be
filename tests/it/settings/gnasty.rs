//! That gnasty is told what changed, where it was named.
