// The least that a dispatch can do (engine.EmptyDispatch): one invocation counts
// the dispatches, each of which must wait for the one before it.
//
// Grid: (1).
#version 450

layout(local_size_x = 1) in;

layout(binding = 0) buffer Count { uint count[]; };

void main()
{
    count[0] += 1u;
}
