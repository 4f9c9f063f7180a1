// What draws a frame: one graphics pipeline and its pass.
#include "shim.h"

static VkImageMemoryBarrier image_barrier(VkImage image) {
	VkImageMemoryBarrier barrier = {VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER};
	barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
	barrier.image = image;
	barrier.subresourceRange = (VkImageSubresourceRange){VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
	return barrier;
}

void gaze_copy_to_image(gaze_instance *instance, VkCommandBuffer commands, VkBuffer from, VkImage to, uint32_t width, uint32_t height) {
	VkImageMemoryBarrier barrier = image_barrier(to);
	// The transition must not begin before the display has let go of the image: the submit waits for that in this stage.
	barrier.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
	barrier.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED, barrier.newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
	instance->CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
	VkBufferImageCopy region = {0, 0, 0, {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1}, {0, 0, 0}, {width, height, 1}};
	instance->CmdCopyBufferToImage(commands, from, to, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &region);
}

void gaze_end_copy(gaze_instance *instance, VkCommandBuffer commands, VkImage to) {
	VkImageMemoryBarrier barrier = image_barrier(to);
	// The display waits for a semaphore, which makes this visible to it.
	barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
	barrier.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, barrier.newLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
	instance->CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}

void gaze_acquire_cells(gaze_instance *instance, VkCommandBuffer commands, VkBuffer cells, uint32_t family) {
	// No semaphore joins the two devices. What orders them is the CPU: whoever wrote a cell has waited for that with a fence
	// before this is submitted, and it is not written again before a fence says that this has ended. A fence makes what was
	// written available, and this makes it visible to what draws. The other device gives nothing up, for it goes on in other
	// cells: it is of the same GPU and driver, where a buffer's bytes are the same whoever owns it.
	VkBufferMemoryBarrier barrier = {VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER, NULL, 0, VK_ACCESS_SHADER_READ_BIT, VK_QUEUE_FAMILY_EXTERNAL, family,
		cells, 0, VK_WHOLE_SIZE};
	instance->CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT, 0, 0, NULL, 1, &barrier, 0, NULL);
}

VkResult gaze_create_render_pass(gaze_instance *instance, VkDevice device, VkFormat format, VkRenderPass *out) {
	VkAttachmentDescription image = {0, format, VK_SAMPLE_COUNT_1_BIT, VK_ATTACHMENT_LOAD_OP_LOAD, VK_ATTACHMENT_STORE_OP_STORE,
		VK_ATTACHMENT_LOAD_OP_DONT_CARE, VK_ATTACHMENT_STORE_OP_DONT_CARE, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR};
	VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
	VkSubpassDescription subpass = {0, VK_PIPELINE_BIND_POINT_GRAPHICS, 0, NULL, 1, &color, NULL, NULL, 0, NULL};
	VkSubpassDependency before = {VK_SUBPASS_EXTERNAL, 0, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
		VK_ACCESS_TRANSFER_WRITE_BIT, VK_ACCESS_COLOR_ATTACHMENT_READ_BIT | VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, 0};
	VkRenderPassCreateInfo info = {VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO, NULL, 0, 1, &image, 1, &subpass, 1, &before};
	return instance->CreateRenderPass(device, &info, NULL, out);
}

VkResult gaze_create_frame_pipeline(gaze_instance *instance, VkDevice device, VkRenderPass pass, VkPipelineLayout layout, VkShaderModule vertex,
    VkShaderModule fragment, VkPipeline *out) {
	VkPipelineShaderStageCreateInfo stages[] = {
		{VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, NULL, 0, VK_SHADER_STAGE_VERTEX_BIT, vertex, "main", NULL},
		{VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, NULL, 0, VK_SHADER_STAGE_FRAGMENT_BIT, fragment, "main", NULL},
	};
	VkPipelineVertexInputStateCreateInfo input = {VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
	VkPipelineInputAssemblyStateCreateInfo assembly = {
		VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO, NULL, 0, VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP, VK_FALSE};
	VkPipelineViewportStateCreateInfo viewport = {VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO, NULL, 0, 1, NULL, 1, NULL};
	VkPipelineRasterizationStateCreateInfo raster = {VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO};
	raster.lineWidth = 1;
	VkPipelineMultisampleStateCreateInfo samples = {VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO};
	samples.rasterizationSamples = VK_SAMPLE_COUNT_1_BIT;
	VkPipelineColorBlendAttachmentState whole = {0};
	whole.colorWriteMask = VK_COLOR_COMPONENT_R_BIT | VK_COLOR_COMPONENT_G_BIT | VK_COLOR_COMPONENT_B_BIT | VK_COLOR_COMPONENT_A_BIT;
	VkPipelineColorBlendStateCreateInfo blend = {VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO};
	blend.attachmentCount = 1;
	blend.pAttachments = &whole;
	static const VkDynamicState changing[] = {VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
	VkPipelineDynamicStateCreateInfo dynamic = {VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO, NULL, 0, 2, changing};
	VkGraphicsPipelineCreateInfo info = {VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO};
	info.stageCount = 2;
	info.pStages = stages;
	info.pVertexInputState = &input;
	info.pInputAssemblyState = &assembly;
	info.pViewportState = &viewport;
	info.pRasterizationState = &raster;
	info.pMultisampleState = &samples;
	info.pColorBlendState = &blend;
	info.pDynamicState = &dynamic;
	info.layout = layout;
	info.renderPass = pass;
	return instance->CreateGraphicsPipelines(device, VK_NULL_HANDLE, 1, &info, NULL, out);
}

VkResult gaze_create_image_view(gaze_instance *instance, VkDevice device, VkImage image, VkFormat format, VkImageView *out) {
	VkImageViewCreateInfo info = {VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
	info.image = image;
	info.viewType = VK_IMAGE_VIEW_TYPE_2D;
	info.format = format;
	info.subresourceRange = (VkImageSubresourceRange){VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
	return instance->CreateImageView(device, &info, NULL, out);
}

VkResult gaze_create_framebuffer(gaze_instance *instance, VkDevice device, VkRenderPass pass, VkImageView view, uint32_t width, uint32_t height,
    VkFramebuffer *out) {
	VkFramebufferCreateInfo info = {VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO, NULL, 0, pass, 1, &view, width, height, 1};
	return instance->CreateFramebuffer(device, &info, NULL, out);
}

void gaze_begin_drawing(gaze_instance *instance, VkCommandBuffer commands, VkRenderPass pass, VkFramebuffer to, uint32_t width, uint32_t height,
    VkPipeline pipeline, VkPipelineLayout layout, const uint32_t push[GAZE_FRAME_PUSH]) {
	VkRect2D area = {{0, 0}, {width, height}};
	VkViewport viewport = {0, 0, (float)width, (float)height, 0, 1};
	VkRenderPassBeginInfo begin = {VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO, NULL, pass, to, area, 0, NULL};
	instance->CmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
	instance->CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
	instance->CmdPushConstants(commands, layout, GAZE_FRAME_STAGES, 0, 4 * GAZE_FRAME_PUSH, push);
	instance->CmdSetViewport(commands, 0, 1, &viewport);
	instance->CmdSetScissor(commands, 0, 1, &area);
}

void gaze_draw(gaze_instance *instance, VkCommandBuffer commands, VkPipelineLayout layout, VkDescriptorSet set, uint32_t first, uint32_t count) {
	instance->CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0, NULL);
	instance->CmdDraw(commands, 4, count, 0, first);
}

void gaze_end_drawing(gaze_instance *instance, VkCommandBuffer commands) { instance->CmdEndRenderPass(commands); }

void gaze_destroy_target(gaze_instance *instance, VkDevice device, VkFramebuffer framebuffer, VkImageView view) {
	instance->DestroyFramebuffer(device, framebuffer, NULL);
	instance->DestroyImageView(device, view, NULL);
}

void gaze_destroy_render_pass(gaze_instance *instance, VkDevice device, VkRenderPass pass) { instance->DestroyRenderPass(device, pass, NULL); }
