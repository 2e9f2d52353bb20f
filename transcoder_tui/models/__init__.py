"""What a channel is: plain pydantic classes, their validation and their help texts. No I/O."""
