module github.com/gazevk/gaze

go 1.24.0

require (
	github.com/BurntSushi/toml v1.6.0 // indirect
	github.com/go-gl/glfw/v3.3/glfw v0.0.0-20260823155953-d41da22a9587 // indirect
	github.com/vulkan-go/vulkan v0.0.0-20210402152248-956e3850d8f9 // indirect
	golang.org/x/image v0.36.0 // indirect
	golang.org/x/text v0.34.0 // indirect
)
