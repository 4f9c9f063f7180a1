module github.com/gazevk/gaze

go 1.24.0

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/go-gl/glfw/v3.3/glfw v0.0.0-20260823155953-d41da22a9587
	github.com/go-text/typesetting v0.3.5
	github.com/gofrs/flock v0.13.0
	github.com/vulkan-go/vulkan v0.0.0-20210402152248-956e3850d8f9
	golang.org/x/image v0.36.0
	golang.org/x/sys v0.37.0
)

require golang.org/x/text v0.34.0 // indirect
