"""What FFmpeg is told and what it says. Pure functions over models; spawns nothing but probes."""
