//! What changed settings do to a server that runs, and to the sources that clients of old know as settings.
