// probe asks the Vulkan loader what answers, without headers or libraries to build against:
//
//     probe [--validate]
//
// It prints one line for each device: name, Vulkan version, "coopmat" or "-", tab-separated. Exit status:
// 0 a device answered, 1 the loader found none, 2 no loader, 3 --validate and the validation layer did not load.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint32_t type;
  const void *next;
  uint32_t flags;
  const void *application;
  uint32_t layerCount;
  const char *const *layers;
  uint32_t extensionCount;
  const char *const *extensions;
} InstanceCreateInfo;

typedef struct {
  char name[256];
  uint32_t version;
} ExtensionProperties;

typedef struct {
  uint32_t apiVersion, driverVersion, vendor, device, deviceType;
  char name[256];
  char limits[4096];  // more than the specification's 560 bytes; not read here
} DeviceProperties;

enum { SUCCESS = 0, CREATE_INSTANCE = 1, ENUMERATE_PORTABILITY = 1, MAX_DEVICES = 64 };

typedef void (*Function)(void);
typedef Function (*GetInstanceProcAddr)(void *, const char *);
typedef int (*CreateInstance)(const InstanceCreateInfo *, const void *, void **);
typedef int (*EnumerateInstanceExtensions)(const char *, uint32_t *, ExtensionProperties *);
typedef int (*EnumerateDevices)(void *, uint32_t *, void **);
typedef void (*GetDeviceProperties)(void *, DeviceProperties *);
typedef int (*EnumerateDeviceExtensions)(void *, const char *, uint32_t *, ExtensionProperties *);

static int has(const ExtensionProperties *list, uint32_t count, const char *name) {
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(list[i].name, name) == 0) return 1;
  return 0;
}

// mapped reports whether a library whose path contains name is part of this process.
static int mapped(const char *name) {
  char line[4096];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && !found && fgets(line, sizeof line, maps)) found = strstr(line, name) != NULL;
  if (maps) fclose(maps);
  return found;
}

int main(int argc, char **argv) {
  static const char *const loaders[] = {"libvulkan.so.1", "libvulkan.1.dylib", "/usr/local/lib/libvulkan.1.dylib",
                                        "/opt/homebrew/lib/libvulkan.1.dylib"};
  static const char *const layers[] = {"VK_LAYER_KHRONOS_validation"};
  static const char *const portability[] = {"VK_KHR_portability_enumeration"};
  int validate = argc > 1 && strcmp(argv[1], "--validate") == 0;

  void *library = NULL;
  for (size_t i = 0; i < sizeof loaders / sizeof *loaders && !library; i++) library = dlopen(loaders[i], RTLD_NOW);
  if (!library) return 2;
  GetInstanceProcAddr get = (GetInstanceProcAddr)dlsym(library, "vkGetInstanceProcAddr");
  if (!get) return 2;

  uint32_t count = 0;
  EnumerateInstanceExtensions instanceExtensions =
      (EnumerateInstanceExtensions)get(NULL, "vkEnumerateInstanceExtensionProperties");
  CreateInstance create = (CreateInstance)get(NULL, "vkCreateInstance");
  if (!instanceExtensions || !create || instanceExtensions(NULL, &count, NULL) != SUCCESS) return 1;
  ExtensionProperties *extensions = calloc(count + 1, sizeof *extensions);
  if (!extensions || instanceExtensions(NULL, &count, extensions) != SUCCESS) return 1;

  InstanceCreateInfo info = {.type = CREATE_INSTANCE, .layerCount = validate, .layers = layers};
  if (has(extensions, count, portability[0])) {  // without it the loader hides MoltenVK
    info.flags = ENUMERATE_PORTABILITY;
    info.extensionCount = 1;
    info.extensions = portability;
  }
  free(extensions);
  void *instance = NULL;
  if (create(&info, NULL, &instance) != SUCCESS) return validate ? 3 : 1;
  if (validate && !mapped("VkLayer_khronos_validation")) return 3;

  EnumerateDevices devices = (EnumerateDevices)get(instance, "vkEnumeratePhysicalDevices");
  GetDeviceProperties properties = (GetDeviceProperties)get(instance, "vkGetPhysicalDeviceProperties");
  EnumerateDeviceExtensions deviceExtensions =
      (EnumerateDeviceExtensions)get(instance, "vkEnumerateDeviceExtensionProperties");
  void *device[MAX_DEVICES];
  uint32_t deviceCount = MAX_DEVICES;
  if (devices(instance, &deviceCount, device) < SUCCESS || deviceCount == 0) return 1;
  for (uint32_t i = 0; i < deviceCount; i++) {
    DeviceProperties p;
    properties(device[i], &p);
    count = 0;
    deviceExtensions(device[i], NULL, &count, NULL);
    extensions = calloc(count + 1, sizeof *extensions);
    if (!extensions || deviceExtensions(device[i], NULL, &count, extensions) != SUCCESS) return 1;
    printf("%s\t%u.%u.%u\t%s\n", p.name, p.apiVersion >> 22 & 0x7f, p.apiVersion >> 12 & 0x3ff, p.apiVersion & 0xfff,
           has(extensions, count, "VK_KHR_cooperative_matrix") ? "coopmat" : "-");
    free(extensions);
  }
  return 0;
}
